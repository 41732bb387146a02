import {catalogue, type ErrorCode, GatewayError} from '../errors.ts';
import type {Loaded, Value} from '../sandbox/isolate.ts';
import type {WallScripts} from './bundle.ts';
import type {ActBody, AskBody} from './host/frames.ts';
import {answersIn, failedAt} from './process/answers.ts';
import {openGuests} from './process/guests.ts';
import {type Host, openHost} from './process/host.ts';
import {hostScript} from './process/script.ts';
import {openSegments, type Segment} from './process/segments.ts';
import {openSpares} from './process/spares.ts';
import {type Checked, wasmChecks} from './process/wasm-config.ts';
import type {Outcome} from './process/work.ts';
import {openQuarantine} from './quarantine.ts';
import type {Admitted, Answer, Report, Run, Tier} from './tier.ts';

export type ProcessOptions = {
	scripts: WallScripts;
	report: Report;
	/** Where the replicas of plugin hosts come from. */
	kv: {
		all(plugin: string): Record<string, string>;
		onChange(listener: (plugin: string, entries: Record<string, string | null>) => void): void;
	};
	log?: {info(facts: object, message: string): void; warn(facts: object, message: string): void};
	now?: () => number;
};

type Range = {from: number; to: number};
/** How often a call was asked already after somebody else's fall, and whether we want to know who is at fault. */
type Tries = {again: number; careful: boolean};

const quiet = {info: () => undefined, warn: () => undefined};
/** On top of the plugins' own time, for the host to say itself that they were late. */
const slackMs = 250;
/** Asked again after it had been begun, and before. */
const mostAgain = 1;
const mostUntouched = 4;
const kept = 'is quarantined, because it had to be stopped repeatedly';

/**
 * Plugins that nobody vouches for: isolates and WebAssembly modules in supervised processes, all in one until one of them
 * has to be stopped; that one lives alone from then on. A process that hangs, dies or grows is replaced.
 */
export const openProcessTier = async (
	plugins: readonly Admitted[],
	{scripts, report, kv, log = quiet, now = Date.now}: ProcessOptions,
): Promise<Tier> => {
	const spares = openSpares(await hostScript());
	const quarantine = openQuarantine({report, now});
	const checks = new Map<string, Checked>(
		plugins.filter(({manifest}) => manifest.runtime === 'wasm').map(plugin => [plugin.name, wasmChecks(plugin)]),
	);
	const guestText = openGuests(kv);
	const homes = new Map<string, Host>();
	const hosts = new Set<Host>();
	const segments = openSegments(name => homes.get(name)!);
	let closed = false;

	const settleIn = (inhabitants: readonly Admitted[]): Host => {
		const host = openHost(inhabitants, {scripts, guestText, log, startChild: spares.take, onFallen, onCrowded});
		hosts.add(host);
		for (const {name} of inhabitants) homes.set(name, host);
		segments.forget();
		return host;
	};
	const moveTo = (host: Host, leaving: readonly Admitted[]): void => {
		host.moveOut(leaving);
		settleIn(leaving);
		spares.keep();
	};
	const onFallen = (host: Host, guilty: readonly Admitted[], reason: string): void => {
		spares.keep();
		const [plugin] = guilty;
		if (guilty.length !== 1 || !plugin) return;
		if (homes.get(plugin.name) === host && host.plugins.length > 1) moveTo(host, [plugin]);
		quarantine.stopped(plugin.name, reason);
	};
	const onCrowded = (host: Host, working: readonly Admitted[]): void => {
		const others = host.plugins.filter(plugin => !working.includes(plugin));
		if (working.length === 0 || others.length === 0) return;
		moveTo(host, others);
		host.handBack(working);
	};

	const askSegment = (
		{host, start, run, used}: Segment,
		whole: Run,
		{from, to}: Range,
		values: readonly Value[],
		tries: Tries,
	): Promise<readonly Answer[]> => {
		const asked = whole.members.slice(from, to);
		const limits = asked.map(({manifest}) => manifest.limits.timeoutMs);
		const given = (used ? used.map(index => values[index]) : values) as AskBody[5];
		const outcome = host.ask({
			kind: 'Q',
			text: call => JSON.stringify([call, run.id, from - start, to - start, tries.careful, given] satisfies AskBody),
			plugins: asked,
			run,
			timeoutMs: slackMs + (whole.everyone ? Math.max(...limits) : limits.reduce((sum, ms) => sum + ms, 0)),
			accepts: text => answersIn(text, from - start, to - start) !== undefined,
		});
		return outcome.then(ended => answered(ended, start, whole, {from, to}, values, tries));
	};

	const shifted = (text: string, start: number, {from, to}: Range): Answer[] =>
		answersIn(text, from - start, to - start)!.map(answer => ({...answer, place: answer.place + start}));

	/** Asks the places from…to, each where it lives now. */
	const askRange = async (run: Run, {from, to}: Range, values: readonly Value[], tries: Tries): Promise<readonly Answer[]> => {
		const parts = segments
			.of(run)
			.filter(({start, end}) => start < to && end > from)
			.map(segment => ({segment, range: {from: Math.max(from, segment.start), to: Math.min(to, segment.end)}}));
		const ask = ({segment, range}: (typeof parts)[number]): readonly Answer[] | Promise<readonly Answer[]> =>
			!quarantine.empty && quarantine.holds(run.members[range.from]!.name)
				? [failedAt(range.from, kept)]
				: askSegment(segment, run, range, values, tries);
		if (run.everyone) return (await Promise.all(parts.map(ask))).flat();
		const answers: Answer[] = [];
		for (const part of parts) {
			answers.push(...(await ask(part)));
			if (answers.length > 0 && answers.at(-1)!.kind !== 'A') break;
		}
		return answers;
	};

	/** The members after `place`, where the failure of one does not end it for all. */
	const rest = (run: Run, place: number, {to}: Range, values: readonly Value[], tries: Tries) =>
		run.everyone && place + 1 < to ? askRange(run, {from: place + 1, to}, values, tries) : [];

	const answered = async (
		outcome: Outcome,
		start: number,
		run: Run,
		range: Range,
		values: readonly Value[],
		tries: Tries,
	): Promise<readonly Answer[]> => {
		const {from, to} = range;
		if ('answers' in outcome) return shifted(outcome.answers, start, range);
		if ('late' in outcome || closed) {
			const late = run.everyone ? run.members.slice(from, to).map((_, index) => from + index) : [from];
			return late.map(place => failedAt(place, 'did not answer in time'));
		}
		const {lost, step, plugin, reason} = outcome;
		if (lost === 'untouched' && tries.again < mostUntouched) return askRange(run, range, values, {...tries, again: tries.again + 1});
		const place = run.members.findIndex(({name}, index) => index >= from && index < to && name === plugin);
		if (lost === 'bystander' && place < 0 && tries.again < mostAgain)
			return askRange(run, range, values, {...tries, again: tries.again + 1});
		if (lost === 'culprit' && place < 0 && !step && !tries.careful) return askRange(run, range, values, {...tries, careful: true});
		const failedPlace = step ? step.next + start : Math.max(place, from);
		if (step) {
			const culprit = run.members[failedPlace]!;
			const host = homes.get(culprit.name)!;
			if (host.plugins.length > 1) onFallen(host, [culprit], reason);
		}
		const before = step ? shifted(step.answers, start, range) : [];
		return [...before, failedAt(failedPlace, `was stopped: ${reason}`), ...(await rest(run, failedPlace, range, values, tries))];
	};

	const act = async (plugin: Admitted, action: string, input: string, caller: string, again = 0): Promise<string> => {
		const {name, manifest} = plugin;
		checks.get(name)?.action(action, input);
		if (quarantine.holds(name)) throw new GatewayError('plugin_failed', `${name} ${kept}.`, {plugin: name});
		const outcome = await homes.get(name)!.ask({
			kind: 'T',
			text: call => JSON.stringify([call, name, action, input, caller] satisfies ActBody),
			plugins: [plugin],
			timeoutMs: slackMs + manifest.limits.actionMs,
			accepts: text => text[0] === 'V' || text[0] === 'F',
		});
		if ('lost' in outcome && outcome.lost === 'untouched' && again < mostUntouched) return act(plugin, action, input, caller, again + 1);
		if (!('answers' in outcome)) throw new GatewayError('plugin_failed', `${name} could not answer.`, {plugin: name});
		if (outcome.answers[0] === 'V') return outcome.answers.slice(1);
		const {code, message} = JSON.parse(outcome.answers.slice(1)) as {code: string; message: string};
		throw new GatewayError(Object.hasOwn(catalogue, code) ? (code as ErrorCode) : 'plugin_failed', String(message), {plugin: name});
	};

	const first = settleIn(plugins);
	const loaded = await loadAll(first, checks);
	if (plugins.length > 1) spares.keep();
	kv.onChange((plugin, entries) => homes.get(plugin)?.change(plugin, entries));

	return {
		loaded,
		ask(run, from, values) {
			const parts = segments.of(run);
			const to = run.members.length;
			const [only] = parts;
			if (parts.length === 1 && only && quarantine.empty) return askSegment(only, run, {from, to}, values, {again: 0, careful: false});
			return askRange(run, {from, to}, values, {again: 0, careful: false});
		},
		act: (name, action, input, caller) => act(plugins.find(plugin => plugin.name === name)!, action, input, caller),
		async close() {
			closed = true;
			await Promise.all([...hosts].map(host => host.close()));
			await spares.close();
		},
	};
};

/** What each plugin says of itself; whoever a host fell over did not load, and neither did those after it. */
const loadAll = async (host: Host, checks: ReadonlyMap<string, Checked>): Promise<(Loaded | {failure: string})[]> => {
	if (host.plugins.length === 0) return [];
	const said = await host.load();
	if ('failure' in said) {
		return host.plugins.map((_, index) => ({
			failure: index === said.entered ? `could not be loaded: its host ${said.failure}` : 'was not loaded, because its host fell',
		}));
	}
	const loaded = JSON.parse(said.loaded) as (Loaded | {failure: string})[];
	return host.plugins.map(({name}, index) => checks.get(name)?.loaded(loaded[index]!) ?? loaded[index]!);
};
