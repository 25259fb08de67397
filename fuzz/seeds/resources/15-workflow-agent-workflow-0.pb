
agentic.stigmer.ai/v1Workflowç
simple-reviewsimple-review(:
stigmer.ai/sdk.languagerust:)
stigmer.ai/sdk.generated-at
1795522961:
stigmer.ai/sdk.version0.1.0"˝
Simple code review workflowG
1.0.0code-reviewsimple-review"1.0.0*Simple code review workflowî

reviewCodeÉ

agentcode-reviewer
N
messageCAReview this code:

func divide(a, b int) int {
    return a / b
}

scopeorganization