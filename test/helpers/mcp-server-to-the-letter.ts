import {createServer, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {createInterface} from 'node:readline';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';

/** An object in words that no double brings back. */
export const odd =
	'{"account":1234567890123456789,"price":1.10,"zero":-0,"ratio":0.1000,"steps":[1e3,{"long":12345678901234567890.5}],"most":18446744073709551615,"plain":7}';

/** What it asks of whoever calls its tool `ask`, with this id where it has sessions. */
const form = `{"mode":"form","message":"How much?","requestedSchema":{"type":"object","properties":{"n":{"type":"number","default":1.10,"maximum":12345678901234567890}}}}`;
const questionId = '98765432109876543210';

const everywhere = `"_meta":{"own":${odd}}`;

/** What it answers to a message as it was written, which it says again: text against text, so that nothing is lost in the test itself. */
export const answerTo = (raw: string, isStateless = false): string | undefined => {
	const {id, method} = JSON.parse(raw) as {id?: number; method: string};
	const said = JSON.stringify(raw);
	const results: Record<string, string> = {
		initialize:
			'{"protocolVersion":"2025-06-18","capabilities":{"tools":{},"prompts":{},"resources":{},"completions":{}},"serverInfo":{"name":"s","version":"1"}}',
		'tools/list': `{"tools":[{"name":"ask","inputSchema":{"type":"object"}},{"name":"act","inputSchema":{"type":"object","properties":{"account":{"type":"integer","x-mcp-header":"Account"},"n":{"default":${odd}}}}}]}`,
		'tools/call': `{"content":[{"type":"text","text":${said}}],"structuredContent":${odd},${everywhere}}`,
		'resources/list': `{"resources":[{"uri":"file:///a","name":"a",${everywhere}}]}`,
		'resources/templates/list': '{"resourceTemplates":[]}',
		'resources/read': `{"contents":[{"uri":"file:///a","text":${said},${everywhere}}]}`,
		'prompts/list': `{"prompts":[{"name":"ask",${everywhere}}]}`,
		'prompts/get': `{"messages":[{"role":"user","content":{"type":"text","text":${said},${everywhere}}}]}`,
		'completion/complete': `{"completion":{"values":[${said}],"total":1.0}}`,
		...(isStateless && {
			'server/discover':
				'{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"prompts":{},"resources":{},"completions":{}}}',
		}),
	};
	if (id === undefined) return undefined;
	if (isStateless && raw.includes('"name":"ask"') && method === 'tools/call' && !raw.includes('"inputResponses"'))
		results[method] =
			`{"resultType":"input_required","inputRequests":{"q":{"method":"elicitation/create","params":${form}}},"requestState":"s"}`;
	const result = results[method];
	if (result === undefined || (isStateless && method === 'initialize'))
		return `{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"no"}}`;
	// There are languages that write every number so.
	return `{"jsonrpc":"2.0","id":${id}.0,"result":${result}}`;
};

const progressFor = (raw: string): string => {
	const [, token] = /"progressToken":(\d+)/.exec(raw) ?? [];
	if (token === undefined) return '';
	const params = `{"progressToken":${token}.0,"progress":1.10,"total":12345678901234567890}`;
	return `data: {"jsonrpc":"2.0","method":"notifications/progress","params":${params}}\n\n`;
};

/** Over HTTP: streamable, or of 2024-11-05. */
export const serverToTheLetter = async (t: ExecutionContext, {isStateless = false} = {}) => {
	let stream: ServerResponse | undefined;
	let asking: {res: ServerResponse; id: number} | undefined;
	const seen: string[] = [];
	const accounts: unknown[] = [];
	const server = createServer(async (req, res) => {
		const raw = await text(req);
		if (raw !== '') seen.push(raw);
		if (req.headers['mcp-param-account'] !== undefined) accounts.push(req.headers['mcp-param-account']);
		if (req.method === 'GET' && req.url === '/sse') {
			stream = res;
			return res.writeHead(200, {'content-type': 'text/event-stream'}).write('event: endpoint\ndata: /message\n\n');
		}
		if (asking && raw.includes(`"id":${questionId},"result"`)) {
			const {res: asked, id} = asking;
			asked.end(`data: {"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":${JSON.stringify(raw)}}]}}\n\n`);
			return res.writeHead(202).end();
		}
		if (raw.includes('"name":"ask"') && raw.includes('"tools/call"') && !isStateless) {
			asking = {res, id: JSON.parse(raw).id};
			res.writeHead(200, {'content-type': 'text/event-stream'});
			return res.write(`data: {"jsonrpc":"2.0","id":${questionId},"method":"elicitation/create","params":${form}}\n\n`);
		}
		const answer = req.method === 'POST' ? answerTo(raw, isStateless) : undefined;
		if (req.url === '/message') {
			res.writeHead(202).end();
			return answer === undefined ? undefined : stream?.write(`event: message\n${progressFor(raw)}data: ${answer}\n\n`);
		}
		if (answer === undefined) return res.writeHead(req.method === 'POST' ? 202 : 405).end();
		const session = raw.includes('"initialize"') && !isStateless ? {'mcp-session-id': 'theirs'} : undefined;
		if (!raw.includes('"progressToken"')) return res.writeHead(200, {'content-type': 'application/json', ...session}).end(answer);
		return res.writeHead(200, {'content-type': 'text/event-stream'}).end(`${progressFor(raw)}data: ${answer}\n\n`);
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return {origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, accounts};
};

/** The same as a process of the gateway's. */
export const programToTheLetter = {command: process.execPath, args: [fileURLToPath(import.meta.url)]};

if (process.argv[1] === fileURLToPath(import.meta.url))
	for await (const line of createInterface({input: process.stdin})) {
		const answer = answerTo(line);
		if (answer !== undefined) process.stdout.write(`${answer}\n`);
	}
