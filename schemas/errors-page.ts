import {catalogue, type ErrorCode, GatewayError} from '../core/errors.ts';
import {anthropic} from '../core/llm/dialects/anthropic.ts';
import {openai} from '../core/llm/dialects/openai.ts';
import {errorOf, rpcCodes} from '../core/mcp/rpc.ts';
import {cell} from './page-rows.ts';
import {sentencesOf} from './page-sentences.ts';

type Told = {error: {type: string}};

const codes = Object.keys(catalogue) as ErrorCode[];

const rowOf = (code: ErrorCode): string => {
	const error = new GatewayError(code, '');
	const typeOf = ({errorBody}: typeof openai): string => (errorBody(error, '') as Told).error.type;
	const {retry, help} = error.facts;
	const cells = [
		`\`${code}\``,
		error.status,
		`\`${typeOf(openai)}\``,
		`\`${typeOf(anthropic)}\``,
		errorOf(error, '').code,
		retry ? 'yes' : 'no',
		cell(help),
	];
	return `| ${cells.join(' | ')} |`;
};

/** Where an MCP client is told something else. */
const otherHelps = (): string[] =>
	codes.flatMap(code => {
		const error = new GatewayError(code, '');
		const {help} = errorOf(error, '').data as {help: string};
		return help === error.facts.help ? [] : [`| \`${code}\` | ${cell(help)} |`];
	});

const rpcRows = (): string[] => {
	const said = sentencesOf('../core/mcp/rpc.ts', 'rpcCodes');
	return Object.entries(rpcCodes).map(([name, code]) => {
		const sentence = said.get(name);
		if (sentence === undefined) throw new Error(`rpcCodes.${name} has no comment in core/mcp/rpc.ts. Write above it what it is.`);
		return `| ${code} | ${cell(sentence)} |`;
	});
};

/** `docs/errors.md`, out of `core/errors.ts` and what each surface makes of its codes. */
export const errorsPage = (): string => `# Errors

<!-- Generated from core/errors.ts and core/mcp/rpc.ts by \`node schemas/generate.ts\`: change it there. -->

Every way to say no has a code, the same on every surface and in the journal (\`error.code\`). A plugin can refuse with some of them: [hooks.md](hooks.md#deny).

| surface | where the code is | beside it |
|---|---|---|
| OpenAI | \`error.code\` | \`error.type\`, \`message\`, \`param\`, \`plugin\`, \`rule\`, \`help\`, \`exchange\` |
| Anthropic | \`error.code\` | \`error.type\`, \`message\`, \`param\`, \`plugin\`, \`rule\`, \`help\`; \`request_id\` is the exchange |
| MCP | \`error.data.code\` | \`error.code\` of JSON-RPC, \`message\`; in \`data\` \`type\`, \`plugin\`, \`rule\`, \`help\`, \`retry\`, \`retryAfterMs\`, \`scopes\`, \`link\`, \`exchange\` |
| \`/admin\`, \`/self\` | \`code\` | problem details (RFC 9457): \`status\`, \`title\`, \`detail\`, \`instance\`, \`plugin\`, \`help\` |

*Again* says whether the very same request may work a little later: clients are told with \`x-should-retry\`, and where it is known when, with
\`retry-after\` (seconds) and \`retry-after-ms\`. A stream that has begun ends with an event that holds the same error.

| code | status | OpenAI \`type\` | Anthropic \`type\` | MCP | again | what helps |
|---|---|---|---|---|---|---|
${codes.map(rowOf).join('\n')}

## At the doors of MCP

What a rule refuses is the answer to a request: a JSON-RPC error with HTTP status 200, but for \`insufficient_scope\`. What is refused before a request is
read (no key, a body that is too large) has the status above. A tool call that waits for an approval ends as [approvals.md](approvals.md) says.

| JSON-RPC code | |
|---|---|
${rpcRows().join('\n')}

A server's own error passes with its code, and with words that the guards have seen; one about the hop behind the gateway does not
([mcp.md](mcp.md)). Where no model was asked, other things help:

| code | what helps |
|---|---|
${otherHelps().join('\n')}
`;
