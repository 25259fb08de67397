
agentic.stigmer.ai/v1Agentç
code-reviewercode-reviewer(:
stigmer.ai/sdk.languagerust:)
stigmer.ai/sdk.generated-at
1795522961:
stigmer.ai/sdk.version0.1.0"∆
'Reviews code with a helper for security=Review the change. Hand questions of security to your helper.2\
security-analyzerKnows security7Look for injection, leaked secrets, and missing checks.