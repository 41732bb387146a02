import {isObject, type JsonObject, objectsOf} from '../json.ts';

/** What Anthropic adds to a request that has tools is under 600 tokens (https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview#pricing), and under 1,000 for each tool of its own. */
const toolsTokens = 1_000;

/** A request that does not say how often a server's tool may be used is cut off at its tenth turn. */
const defaultUses = 10;

/** What one use puts into the input, all turns after it included: a search some 14,000 tokens in recorded answers, a page as much as a context window holds. */
const tokensPerUse: readonly (readonly [type: RegExp, count: string, tokens: number])[] = [
	[/^web_search_/, 'webSearches', 50_000],
	[/^web_fetch_/, 'webFetches', 100_000],
	[/^(code_execution|tool_search|mcp_toolset|advisor)/, '', 50_000],
];

const usesOf = ({max_uses: most}: JsonObject): number =>
	typeof most === 'number' && Number.isSafeInteger(most) && most > 0 ? most : defaultUses;

/** What can be billed as input beyond what the request says of its tools. */
export const toolTokens = ({tools, mcp_servers: servers}: JsonObject): number => {
	let tokens = Array.isArray(tools) && tools.length > 0 ? toolsTokens : 0;
	for (const [, tool] of objectsOf(tools)) {
		if (typeof tool.type !== 'string' || tool.type === 'custom') continue;
		tokens += toolsTokens;
		for (const [type, , perUse] of tokensPerUse) if (type.test(tool.type)) tokens += usesOf(tool) * perUse;
	}
	// Their tools are asked for by the provider, and are not in the request.
	for (const [, server] of objectsOf(servers)) if (isObject(server)) tokens += defaultUses * 50_000;
	return tokens;
};

/** Tools that Anthropic describes and whoever asks runs. */
const ofTheClient = /^(?:custom$|bash_|text_editor_|computer_|memory_)/;

/** Whether the provider may run tools itself. */
export const runsTools = ({tools, mcp_servers: servers}: JsonObject): boolean =>
	objectsOf(servers).length > 0 || objectsOf(tools).some(([, {type}]) => typeof type === 'string' && !ofTheClient.test(type));

/** The most of what is charged by the use that a request lets the provider use. */
export const toolCounts = ({tools}: JsonObject): Record<string, number> => {
	const counts: Record<string, number> = {};
	for (const [, tool] of objectsOf(tools)) {
		for (const [type, count] of tokensPerUse)
			if (count !== '' && typeof tool.type === 'string' && type.test(tool.type)) counts[count] = (counts[count] ?? 0) + usesOf(tool);
	}
	return counts;
};
