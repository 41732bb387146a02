import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {folderOf} from './mcp-servers.ts';

/** What a program does in the place of an answer, as code: `id`, `method`, `params`, `say(message)`, `times` (of this method) are at hand. */
export type Does = {hello?: string; list?: string; call?: string};

const program = ({hello = '', list = '', call = ''}: Does): string => `
import {createInterface} from 'node:readline';
import {appendFileSync} from 'node:fs';
appendFileSync('starts', process.pid + '\\n');
const say = message => process.stdout.write(JSON.stringify({jsonrpc: '2.0', ...message}) + '\\n');
const count = {};
for await (const line of createInterface({input: process.stdin})) {
	const {id, method, params} = JSON.parse(line);
	appendFileSync('asked', method + '\\n');
	const times = (count[method] = (count[method] ?? 0) + 1);
	let instructions;
	let tools = [{name: 'act', inputSchema: {type: 'object'}}];
	if (method === 'initialize') { ${hello}; say({id, result: {protocolVersion: '2025-06-18', capabilities: {tools: {listChanged: true}}, serverInfo: {name: 's', version: '1'}, instructions}}); }
	else if (method === 'tools/list') { ${list}; say({id, result: {tools}}); }
	else if (method === 'tools/call') { ${call}; say({id, result: {content: [{type: 'text', text: 'did ' + params.name}]}}); }
}
`;

/** An MCP server over stdio that is not to be trusted, and what it was asked so far, by method. */
export const hostileProgram = (t: ExecutionContext, does: Does) => {
	const folder = folderOf(t, {'server.mjs': program(does), asked: ''});
	const linesOf = (file: string): string[] => readFileSync(join(folder, file), 'utf8').trim().split('\n');
	return {
		stdio: {command: '/bin/sh', args: ['-c', `cd ${folder} && exec ${process.execPath} server.mjs`]},
		asked: (method: string): number => linesOf('asked').filter(line => line === method).length,
		starts: (): number[] => linesOf('starts').map(Number),
	};
};
