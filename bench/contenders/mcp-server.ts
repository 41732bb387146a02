import {createServer} from 'node:http';

/**
 * An MCP server of the legacy era that does the least it can: it says hello, lists one tool and answers each call with the same words.
 * node mcp-server.ts PORT
 */
const [port = ''] = process.argv.slice(2);

const tool = {
	name: 'echo',
	description: 'Answers with what it was given.',
	inputSchema: {type: 'object', properties: {path: {type: 'string'}, words: {type: 'string'}}, required: ['path']},
};
const said = {content: [{type: 'text', text: 'all that was said, and nothing else. '.repeat(10)}]};

const results: Readonly<Record<string, unknown>> = {
	initialize: {protocolVersion: '2025-11-25', capabilities: {tools: {}}, serverInfo: {name: 'raw', version: '1'}},
	'tools/list': {tools: [tool]},
	'tools/call': said,
};

const server = createServer((req, res) => {
	const parts: Buffer[] = [];
	req.on('data', part => parts.push(part));
	req.on('end', () => {
		const {id, method} = JSON.parse(Buffer.concat(parts).toString() || '{}') as {id?: number; method?: string};
		if (id === undefined) return res.writeHead(202).end();
		const result = results[method ?? ''];
		const body = result ? {jsonrpc: '2.0', id, result} : {jsonrpc: '2.0', id, error: {code: -32601, message: 'no such method'}};
		const text = JSON.stringify(body);
		res.writeHead(200, {
			'content-type': 'application/json',
			'content-length': Buffer.byteLength(text),
			...(method === 'initialize' && {'mcp-session-id': 'raw'}),
		});
		return res.end(text);
	});
});
server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
process.on('SIGTERM', () => process.exit());
