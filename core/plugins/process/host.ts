import type {RunBody, ToHost} from '../host/frames.ts';
import type {Admitted} from '../tier.ts';
import type {Child} from './child.ts';
import {openErrands} from './errands.ts';
import {patienceMs} from './guests.ts';
import {type Tick, tick} from './ticks.ts';
import {type Call, type Outcome, openQueue, type Work} from './work.ts';

export type World = {
	scripts: {guest: string; dispatcher: string};
	/** What a process gets of a plugin. */
	guestText(plugin: Admitted): string;
	log: {info(facts: object, message: string): void; warn(facts: object, message: string): void};
	startChild(): Child;
	/** The host fell, or lost the isolate of one of its plugins, while it worked for these; more than one are suspects. */
	onFallen(host: Host, guilty: readonly Admitted[], reason: string): void;
	/** Others wait behind what the host is working on. */
	onCrowded(host: Host, working: readonly Admitted[]): void;
};

type Ask = {
	kind: 'Q' | 'T';
	/** The frame's text, given the number of the call. */
	text(call: number): string;
	plugins: readonly Admitted[];
	run?: RunBody;
	timeoutMs: number;
	accepts(answers: string): boolean;
};

/** Some plugins and the process they live in, which is started when it is needed and replaced when it falls. */
export type Host = {
	readonly plugins: readonly Admitted[];
	/** Opens every plugin now; what each says of itself, as JSON, or why there is nothing. */
	load(): Promise<{loaded: string} | {failure: string; entered: number}>;
	ask(ask: Ask): Promise<Outcome>;
	/** Does not live here any more; what it was asked here ends here. */
	moveOut(plugins: readonly Admitted[]): void;
	/** Gives back what has not been begun and can be asked elsewhere, except for these plugins. */
	handBack(staying: readonly Admitted[]): void;
	change(plugin: string, entries: Record<string, string | null>): void;
	close(): Promise<void>;
};

const rssTicks = 5;
/** Others wait so long behind one; longer where its isolate may have to be opened first. */
const crowdedMs = 20;
const crowdedOpeningMs = 50;
const loadMs = 3_000;
const baseBytes = 512_000_000;

export const openHost = (inhabitants: readonly Admitted[], world: World): Host => {
	let plugins = [...inhabitants];
	let child: Child | undefined;
	let queue = openQueue();
	let closed = false;
	let told = new Set<number>();
	/** Who has moved into the process, and whose code has run there. */
	let moved = new Set<Admitted>();
	let opened = new Set<string>();
	const calls = new Map<number, Call>();
	let lastCall = 0;
	let timer: NodeJS.Timeout | undefined;
	let onLoaded: ((said: {loaded: string} | {failure: string; entered: number}) => void) | undefined;
	let loadedSoFar = 0;

	const give = (kind: ToHost, text: string, work: Work): void => {
		queue.push(work);
		child!.send(kind, text);
		timer ??= tick(child!, look);
	};
	const errands = openErrands({
		send: (plugin, text) => give('D', text, {plugins: [plugin], patienceMs: patienceMs([plugin])}),
		find: name => inhabitants.find(plugin => plugin.name === name),
		onFlood: () => child?.kill('sent garbage: too many host calls at once'),
	});

	const finish = (call: Call, outcome: Outcome): void => {
		calls.delete(call.id);
		call.finish(outcome);
	};

	const garbage = (what: string): void => child?.kill(`sent garbage: ${what}`);

	const onAnswer = (text: string): number => {
		const end = text.indexOf('\n');
		const id = Number(text.slice(0, end));
		const call = calls.get(id);
		const answers = text.slice(end + 1);
		// A call that nobody waits for any more is no garbage.
		if (!call) {
			if (!(id > 0 && id <= lastCall)) garbage('an answer to nothing');
			return id;
		}
		if (call.accepts(answers)) finish(call, {answers});
		else garbage('an answer that is none');
		return id;
	};

	const onStep = (text: string): void => {
		queue.progress();
		const [id = '', next = ''] = text.split('\n', 2);
		if (id === '0') loadedSoFar = Number(next);
		const call = calls.get(Number(id));
		const answers = text.slice(id.length + next.length + 2);
		if (call?.accepts(answers)) call.step = {next: Number(next), answers};
	};

	const acknowledged = (): void => {
		const work = queue.shift();
		if (!work) garbage('an acknowledgement of nothing');
		for (const {name} of work?.plugins ?? []) opened.add(name);
	};

	const onIsolateLost = (text: string): void => {
		const [name, reason] = JSON.parse(text) as [unknown, unknown];
		const plugin = inhabitants.find(one => one.name === name);
		if (!plugin) return;
		opened.delete(plugin.name);
		world.onFallen(host, [plugin], String(reason).slice(0, 200));
	};

	const onFrame = (kind: string, text: string): void => {
		try {
			if (kind === 'A') {
				onAnswer(text);
				acknowledged();
			} else if (kind === 'a') onAnswer(text);
			else if (kind === 'K') acknowledged();
			else if (kind === 'M') onStep(text);
			else if (kind === 'L') onLoaded?.({loaded: text});
			else if (kind === 'X') onIsolateLost(text);
			else if (kind === 'H') errands.start(text);
			else if (kind === 'S') errands.say(text);
			else garbage('a frame of no known kind');
		} catch (error) {
			garbage(error instanceof Error ? error.message.slice(0, 100) : 'something');
		}
	};

	/** Who was being worked for: the first piece of work, or whoever lives here alone. */
	const guiltyOf = (head: Work | undefined): readonly Admitted[] =>
		head && head.plugins.length > 0 ? head.plugins : plugins.length === 1 ? plugins : [];

	const onGone = (reason: string, output: string): void => {
		const {works} = queue;
		const head = works[0];
		const guilty = guiltyOf(head);
		child = undefined;
		queue = openQueue();
		told = new Set();
		moved = new Set();
		opened = new Set();
		rest();
		errands.forget();
		if (closed) {
			for (const call of [...calls.values()]) finish(call, {late: true});
			return;
		}
		world.log.warn({plugins: guilty.map(({name}) => name), reason, ...(output && {output})}, 'a plugin host fell');
		onLoaded?.({failure: reason, entered: loadedSoFar});
		// Whoever asks again does so at its new home.
		world.onFallen(host, guilty, reason);
		const untouched = new Set(works.slice(1).map(({call}) => call));
		const single = guilty.length === 1 ? guilty[0]!.name : undefined;
		for (const call of [...calls.values()]) {
			if (call === head?.call) finish(call, {lost: 'culprit', reason, plugin: single, step: call.step});
			else finish(call, {lost: untouched.has(call) ? 'untouched' : 'bystander', reason, plugin: single});
		}
	};

	const bytesAllowed = (): number => plugins.reduce((sum, {manifest}) => sum + manifest.limits.memoryMb * 1_000_000, baseBytes);

	const rest = (): void => {
		clearInterval(timer);
		timer = undefined;
	};
	const look = ({now, passedMs, busyMs, nth}: Tick): void => {
		queue.pass(passedMs, busyMs);
		for (const call of calls.values()) if (now >= call.deadlineAt) finish(call, {late: true});
		const {head, works} = queue;
		if (!head && calls.size === 0) {
			rest();
			return;
		}
		if (nth % rssTicks === 0 && child && child.rss() > bytesAllowed()) child.kill('used too much memory');
		if (!head) return;
		const noticedMs = head.plugins.every(({name}) => opened.has(name)) ? crowdedMs : crowdedOpeningMs;
		if (queue.stuck) child?.kill(`made no progress for ${Math.round(queue.busyMs)} ms`);
		else if (works.length > 1 && queue.busyMs > noticedMs) world.onCrowded(host, head.plugins);
	};

	const start = (): void => {
		if (child) return;
		child = world.startChild();
		child.send('B', JSON.stringify(world.scripts));
		child.listen({onFrame, onGone});
	};
	/** A process gets a plugin only when it is asked something of it: so a new one is ready at once. */
	const moveIn = (plugin: Admitted): void => {
		if (moved.has(plugin)) return;
		moved.add(plugin);
		give('P', world.guestText(plugin), {plugins: [], patienceMs: loadMs});
	};

	const host: Host = {
		get plugins() {
			return plugins;
		},
		load: () =>
			new Promise(resolve => {
				onLoaded = said => {
					onLoaded = undefined;
					resolve(said);
				};
				start();
				for (const plugin of plugins) moveIn(plugin);
				give('L', '0', {plugins: [], patienceMs: loadMs});
			}),
		ask: ({kind, text, plugins: asked, run, timeoutMs, accepts}) =>
			new Promise(resolve => {
				if (closed) return resolve({late: true});
				start();
				for (const plugin of asked) moveIn(plugin);
				const id = ++lastCall;
				const call: Call = {id, deadlineAt: performance.now() + timeoutMs, repeatable: kind === 'Q', accepts, finish: resolve};
				calls.set(id, call);
				if (run && !told.has(run.id)) {
					told.add(run.id);
					child!.send('R', JSON.stringify(run));
				}
				give(kind, text(id), {plugins: asked, patienceMs: patienceMs(asked), call});
			}),
		moveOut(leaving) {
			plugins = plugins.filter(plugin => !leaving.includes(plugin));
		},
		handBack(staying) {
			const elsewhere = ({call, plugins: asked}: Work) => call?.repeatable === true && !asked.some(plugin => staying.includes(plugin));
			const handed = queue.works.slice(1).filter(elsewhere);
			for (const {call} of handed) finish(call!, {lost: 'untouched', reason: 'moved'});
		},
		change(plugin, entries) {
			if ([...moved].some(({name}) => name === plugin)) child?.send('C', JSON.stringify([plugin, entries]));
		},
		async close() {
			closed = true;
			clearInterval(timer);
			await child?.end();
		},
	};
	return host;
};
