import {GatewayError} from '../errors.ts';
import {stamp} from './hop.ts';
import type {Link, Notice, ServerFacts} from './link.ts';
import {greetOverStdio} from './stdio-greeting.ts';
import {type McpProcess, type Program, startProcess} from './stdio-process.ts';
import {type Telling, tellingOf} from './stdio-watching.ts';
import {openWatched} from './watched.ts';

const mostBackOffMs = 30_000;
const firstBackOffMs = 250;
/** One that lived so long has not failed to start. */
const steadyMs = 10_000;
const patienceMs = 1_000;

type Life = {own: McpProcess; facts: Promise<ServerFacts>; telling: Promise<Telling>};

/**
 * A server in a process of its own, started with the first question and again, after a growing pause, when it has ended; `timeoutMs` is what
 * it may take to say hello. `close` ends the process and its children.
 */
export const openStdio = ({timeoutMs, ...program}: Program & {timeoutMs: number}): Link => {
	const {name, log} = program;
	const listeners = new Set<Notice>();
	let life: Life | undefined;
	let failures = 0;
	let notBefore = 0;
	let closed = false;

	const failed = (begun: number, why: string): void => {
		failures = Date.now() - begun > steadyMs ? 1 : failures + 1;
		notBefore = Date.now() + Math.min(mostBackOffMs, firstBackOffMs * 2 ** (failures - 1));
		if (!closed) log.warn({server: name, why, failures}, 'an MCP server has ended');
		startForWatchers();
	};

	const begin = (): McpProcess => {
		const wait = notBefore - Date.now();
		if (closed) throw new GatewayError('shutting_down', 'This gateway is stopping.');
		if (wait > 0) {
			const message = `The MCP server "${name}" has ended, and is started again in a moment.`;
			throw new GatewayError('upstream_unreachable', message, {retryAfterMs: wait});
		}
		const begun = Date.now();
		try {
			return startProcess(program, {
				onNotice(method, params) {
					for (const listener of listeners) listener(method, params);
				},
				onEnd(why) {
					life = undefined;
					failed(begun, why);
				},
			});
		} catch (thrown) {
			failed(begun, thrown instanceof Error ? thrown.message : 'could not be started');
			throw new GatewayError('upstream_unreachable', `The MCP server "${name}" cannot be started now.`, {
				retryAfterMs: notBefore - Date.now(),
			});
		}
	};

	const tellWatched = (): void => {
		life?.telling.then(
			tell => tell(watched.now()),
			() => undefined,
		);
	};

	const start = (): Life => {
		const own = begin();
		const facts = greetOverStdio({name, ask: (method, params) => own.ask(method, params, {timeoutMs}), tell: own.tell});
		facts.catch(() => own.fail('did not say hello'));
		life = {own, facts, telling: facts.then(found => tellingOf(found, own))};
		// What an earlier one was asked to tell of, this one does not know.
		tellWatched();
		return life;
	};

	/** Whoever waits for it may give up before: it has its own time to say hello. */
	const alive = async (): Promise<McpProcess & {facts: ServerFacts}> => {
		const {own, facts} = life ?? start();
		return {...own, facts: await facts};
	};

	const onNotice: Link['onNotice'] = listener => {
		listeners.add(listener);
		return () => void listeners.delete(listener);
	};

	const watched = openWatched(onNotice, () => {
		if (life) tellWatched();
		else startForWatchers();
	});

	/** Nobody would hear of a resource while there is no process; for the sake of lists alone none is started. */
	const startForWatchers = (): void => {
		if (closed || !watched.now()?.length) return;
		const again = (): void => {
			if (!life) alive().catch(() => undefined);
		};
		setTimeout(again, Math.max(0, notBefore - Date.now())).unref();
	};

	return {
		facts: async () => (await alive()).facts,
		async request(method, params, asking) {
			const {ask, facts} = await alive();
			return ask(method, facts.era === 'stateless' ? stamp(params, asking) : params, asking);
		},
		// The process is everybody's: what one client tells of itself is not for it to hear.
		tell: () => undefined,
		watch: async (uris, listener) => watched.watch(uris, listener),
		onNotice,
		async close() {
			closed = true;
			const {own} = life ?? {};
			life = undefined;
			if (!own) return;
			const after = (ms: number) => Promise.race([own.gone, new Promise(resolve => setTimeout(resolve, ms).unref())]);
			own.stop();
			await after(patienceMs);
			own.end(new GatewayError('shutting_down', 'This gateway is stopping.'));
			await after(patienceMs);
		},
	};
};
