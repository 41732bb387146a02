/** `node test/soak/mcp-sessions.ts`: what 1,000 idle sessions of MCP take of a gateway's memory. Ends by itself; Linux alone says. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {Agent, get} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as after} from 'node:timers/promises';
import {startUpstream} from '../conformance/upstream.ts';
import {saidBy} from '../helpers/said.ts';

const program = join(import.meta.dirname, '..', '..', 'core', 'cli', 'sallyport.js');
const warm = 200;
const counted = 1_000;

const measure = async (eras: 'legacy' | 'modern', hasStream: boolean): Promise<number> => {
	const upstream = await startUpstream(eras);
	const folder = mkdtempSync(join(tmpdir(), 'sallyport-idle-'));
	const config = join(folder, 'gateway.config.ts');
	const servers = {s: {url: upstream.url, asks: ['elicitation']}};
	const whole = {listen: '127.0.0.1:0', anonymous: true, store: join(folder, 's.db'), journal: {folder: join(folder, 'j')}, servers};
	writeFileSync(config, `export default ${JSON.stringify({...whole, providers: {}, models: {}, plugins: []})};`);
	const child = spawn(process.execPath, [program, '--config', config, 'start'], {stdio: ['ignore', 'pipe', 'pipe']});
	const exited = once(child, 'exit');
	const {found, started} = saidBy(child);
	try {
		await started(() => Boolean(found(/^Sallyport is at (\S+)$/m)));
		const url = `${found(/^Sallyport is at (\S+)$/m)}/mcp/s`;
		const residentMb = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1_024;
		const post = async (body: object, session?: string): Promise<string> => {
			const headers = {'content-type': 'application/json', accept: 'application/json, text/event-stream'};
			const own = session === undefined ? headers : {...headers, 'mcp-session-id': session};
			const response = await fetch(url, {method: 'POST', headers: own, body: JSON.stringify({jsonrpc: '2.0', ...body})});
			await response.text();
			return response.headers.get('mcp-session-id') ?? '';
		};
		const begin = async (): Promise<string> => {
			const params = {protocolVersion: '2025-11-25', capabilities: {elicitation: {}}, clientInfo: {name: 'idle', version: '1'}};
			const session = await post({id: 1, method: 'initialize', params});
			await post({method: 'notifications/initialized'}, session);
			await post({id: 2, method: 'tools/list', params: {}}, session);
			return session;
		};
		for (let count = 0; count < warm; count++) await begin();
		await after(3_000);
		const before = residentMb();
		const agent = new Agent({maxSockets: Number.POSITIVE_INFINITY});
		for (let count = 0; count < counted; count++) {
			const headers = {accept: 'text/event-stream', 'mcp-session-id': await begin()};
			if (hasStream) get(url, {agent, headers}, reply => reply.on('error', () => undefined).resume()).on('error', () => undefined);
		}
		await after(6_000);
		const taken = residentMb() - before;
		agent.destroy();
		return taken;
	} finally {
		child.kill('SIGKILL');
		await exited;
		await upstream.close();
		rmSync(folder, {recursive: true, force: true});
	}
};

for (const eras of ['legacy', 'modern'] as const)
	for (const hasStream of [false, true]) {
		const taken = await measure(eras, hasStream);
		console.log(`${counted} idle sessions, server ${eras}, ${hasStream ? 'with' : 'without'} a stream each: ${taken.toFixed(1)} MB`);
	}
