import {isObject} from '../llm/json.ts';
import type {KvSpace} from '../sandbox/capabilities.ts';

/** What an action changed under one key of its plugin's namespace; without `before` it was new, without `after` it is gone. */
export type Difference = {key: string; before?: unknown; after?: unknown};

/** `changes`, and how many more there were than a record should hold. */
export type Differences = {changes: Difference[]; moreChanges?: number};

/** Notes what plugins write while one of their actions runs. */
export type Diary = {
	/** The same namespace; what is put there while an action of its plugin runs is that action's doing. */
	space(plugin: string, own: KvSpace): KvSpace;
	/** Runs one action of a plugin after the other: what each has written can be told apart. */
	during<T>(plugin: string, work: () => Promise<T>): Promise<{ended: PromiseSettledResult<T>; written: Written}>;
};

/** Before and after, as JSON, by key. */
export type Written = ReadonlyMap<string, {before?: string; after?: string}>;

type Page = {turn: Promise<unknown>; notes?: Map<string, {before?: string; after?: string}>};

export const openDiary = (): Diary => {
	const pages = new Map<string, Page>();
	const pageOf = (plugin: string): Page => {
		const known = pages.get(plugin);
		if (known) return known;
		const fresh: Page = {turn: Promise.resolve()};
		pages.set(plugin, fresh);
		return fresh;
	};

	return {
		space(plugin, own) {
			const page = pageOf(plugin);
			return {
				...own,
				async put(entries) {
					const {notes} = page;
					const before = notes && Object.keys(entries).map(key => [key, own.get(key)] as const);
					await own.put(entries);
					for (const [key, json] of before ?? []) {
						const first = notes!.get(key);
						notes!.set(key, {before: first ? first.before : json, after: entries[key] ?? undefined});
					}
				},
			};
		},
		during(plugin, work) {
			const page = pageOf(plugin);
			const run = async () => {
				const written = new Map<string, {before?: string; after?: string}>();
				page.notes = written;
				const [ended] = await Promise.allSettled([work()]);
				page.notes = undefined;
				return {ended, written};
			};
			const turn = page.turn.then(run);
			page.turn = turn;
			return turn;
		},
	};
};

/** What begins as a key does, or is as long as a key or a hash. */
const keyLike = /\b(?:vk|adm|sk|whsec)[_-][\w-]{12,}|[\w-]{43,}/g;
const secretField = /secret|password|token$|apikey|authorization|credential/i;
const mostChanges = 50;
const mostChars = 2_000;

/** A key or its hash, pasted where an id belongs, must not stay in the journal for good; a name as long as that is hidden with them. */
export const withoutSecrets = (input: unknown): unknown => {
	if (typeof input === 'string') return input.replace(keyLike, run => `[${run.length} characters that may be a secret]`);
	if (Array.isArray(input)) return input.map(withoutSecrets);
	if (!isObject(input)) return input;
	return Object.fromEntries(
		Object.entries(input).map(([key, value]) => [
			withoutSecrets(key),
			secretField.test(key) && typeof value === 'string' ? '[hidden]' : withoutSecrets(value),
		]),
	);
};

const shown = (json: string | undefined): unknown => {
	if (json === undefined) return undefined;
	return json.length > mostChars ? `[${json.length} characters]` : withoutSecrets(JSON.parse(json));
};

/** The difference, as the journal keeps it: no secret, no hash, and bounded. What was written as it stood before is none. */
export const differencesOf = (written: Written): Differences | undefined => {
	const changed = [...written].filter(([, {before, after}]) => before !== after);
	if (changed.length === 0) return undefined;
	const changes = changed
		.slice(0, mostChanges)
		.map(([key, {before, after}]): Difference => ({key: String(withoutSecrets(key)), before: shown(before), after: shown(after)}));
	return {changes, ...(changed.length > mostChanges && {moreChanges: changed.length - mostChanges})};
};
