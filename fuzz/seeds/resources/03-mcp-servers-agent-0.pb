
agentic.stigmer.ai/v1Agent‹
devops-agentdevops-agent(:
stigmer.ai/sdk.languagerust:
stigmer.ai/sdk.version0.1.0:)
stigmer.ai/sdk.generated-at
1795522961"Ï
+Works on repositories, services, and cloudsMYou are a DevOps engineer. Use the tools you are given, and say what you did."‰
githubO
npx-y#@modelcontextprotocol/server-github
GITHUB_TOKEN${GITHUB_TOKEN}*create_issue*list_issues*create_pull_request"ª
api-service€
https://mcp.example.com/v1
X-Clientstigmer$
AuthorizationBearer ${API_TOKEN}
region${AWS_REGION}
version2 <*search*fetch*	summarize"å

custom-mcp"Ä
ghcr.io/example/custom-mcp:1.4--log-formatjson
CONFIG_FILE${CONFIG_FILE}"
/var/lib/custom-mcp/data"
/etc/custom-mcp/config*mcp-network2
?Ptcp2ûA»tcp:my-custom-mcp*query*	transform"y
awsr
python-maws_mcp_server

AWS_REGION${AWS_REGION})
AWS_ACCESS_KEY_ID${AWS_ACCESS_KEY_ID}"/opt/mcp/aws*+"infrastructure-as-code*+"incident-response