import test, {type ExecutionContext} from 'ava';
import {type Asking, type Server, startLetters as start, unquoted} from './helpers/mcp-letters.ts';
import {odd, programToTheLetter, serverToTheLetter} from './helpers/mcp-server-to-the-letter.ts';

const longId = '12345678901234567890';

const kinds: Record<string, (t: ExecutionContext) => Promise<Server>> = {
	'streamable HTTP with sessions': async t => ({url: `${(await serverToTheLetter(t)).origin}/mcp`}),
	'streamable HTTP without sessions': async t => ({url: `${(await serverToTheLetter(t, {isStateless: true})).origin}/mcp`}),
	'HTTP+SSE': async t => ({url: `${(await serverToTheLetter(t)).origin}/sse`}),
	stdio: async () => ({stdio: programToTheLetter}),
};

for (const [kind, serverOf] of Object.entries(kinds))
	for (const era of ['a session', 'none'])
		test(`numbers travel as they were written, with a client of ${era} and a server over ${kind}`, async t => {
			const {ask, begin} = await start(t, await serverOf(t));
			const session = era === 'none' ? undefined : await begin();
			const has = (answer: string, ...parts: string[]) => {
				for (const part of parts) t.true(unquoted(answer).includes(part), `${part} is not in ${answer}`);
			};
			const asking = (name: string): Asking => ({name, ...(session !== undefined && {session})});

			const called = await ask(longId, 'tools/call', `"name":"act","arguments":${odd}`, asking('act'));
			has(called, `"id":${longId},`, `"structuredContent":${odd}`, `"arguments":${odd}`, `"own":${odd}`);
			t.is(unquoted(called).split(`"own":${odd}`).length, 3, called);
			has(await ask('1', 'resources/read', '"uri":"file:///a"', asking('file:///a')), `"text":"{`, `"_meta":{"own":${odd}`);
			has(await ask('1', 'prompts/get', `"name":"ask","arguments":${odd}`, asking('ask')), `"arguments":${odd}`, `"_meta":{"own":${odd}`);
			has(await ask('1', 'tools/list', '"more":1', asking('')), `"default":${odd}`);
			has(await ask('1', 'prompts/list', '"more":1', asking('')), `"own":${odd}`);
			has(await ask('1', 'resources/list', '"more":1', asking('')), `"own":${odd}`);
		});
