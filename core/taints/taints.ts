import type {Exchange} from '../exchange.ts';
import type {Kv} from '../store/kv.ts';
import {ownerOf, ownersFor, type Place, type Places, placesOf} from './places.ts';
import {mostNames, otherName, ownTaints, taintAlone} from './said.ts';

/** One taint of a place: which exchange brought it, and until when it lasts, in milliseconds since 1970. */
export type Taint = Place & {name: string; at: number; until: number; exchange: string};

/**
 * What sessions and keys are tainted with. In this process a taint holds from the moment it is noted; in every other process on the store
 * within a second, and after a restart, once the store has it.
 */
export type Taints = {
	/** Taints the exchange, and what it belongs to. Never waits. */
	note(exchange: Exchange, name: string): void;
	/** The names of what it is tainted with now, by itself or by what it belongs to, in their order. */
	of(exchange: Exchange): readonly string[];
	/** All that last, the oldest first. */
	list(): Taint[];
	/** Ends those of a place, or the one of that name; answers which those were. Resolves when every process will know. Rejects with `store_unavailable`. */
	lift(place: string, name?: string): Promise<Taint[]>;
	close(): void;
};

type Options = {
	kv: Pick<Kv, 'all' | 'put' | 'putSoon' | 'onChange'>;
	lastMs: number;
	reach: 'session' | 'key';
	onWriteFailed: (error: unknown) => void;
	now?: () => number;
};

/** No plugin's name holds a dot. */
const space = 'core.taints';
const sweepMs = 600_000;
const retryMs = 1_000;
/** So that sessions without number are no way to be forgotten, nor to fill the memory: beyond, the key itself is tainted. */
const mostSessions = 1_000;
/** What is found again and again is written down again as often within its time. */
const renewals = 60;

/** What a place is tainted with: by name, and of each the rows, since two processes may each have written one. */
type Tainted = Map<string, Map<string, Taint>>;

/** A row is written once and never changed: two processes cannot undo each other, and what is swept is over for everybody. */
const rowOf = ({id, name, at}: Taint): string => `${id}:${name}:${at}`;

const lastOf = (alike: ReadonlyMap<string, Taint> | undefined): Taint | undefined => {
	let last: Taint | undefined;
	for (const taint of alike?.values() ?? []) if (!last || last.until < taint.until) last = taint;
	return last;
};

export const openTaints = ({kv, lastMs, reach, onWriteFailed, now = Date.now}: Options): Taints => {
	const rows = new Map<string, Taint>();
	const tainted = new Map<string, Tainted>();
	/** How many rows are of each key: most have none, and need not be looked for. */
	const rowsOf = new Map<string, number>();
	/** The sessions of each key that are tainted. */
	const sessionsOf = new Map<string, Set<string>>();
	const places = new WeakMap<Exchange, Places>();
	const unsaved = new Map<string, string | null>();
	let retry: NodeJS.Timeout | undefined;
	let closed = false;

	const counted = (taint: Taint, by: number): void => {
		const owner = ownerOf(taint);
		const count = (rowsOf.get(owner) ?? 0) + by;
		if (count === 0) rowsOf.delete(owner);
		else rowsOf.set(owner, count);
	};

	const show = (row: string, taint: Taint): void => {
		if (!rows.has(row)) counted(taint, 1);
		rows.set(row, taint);
		const names: Tainted = tainted.get(taint.id) ?? new Map();
		tainted.set(taint.id, names.set(taint.name, (names.get(taint.name) ?? new Map()).set(row, taint)));
		if (taint.session === undefined) return;
		const owner = ownerOf(taint);
		sessionsOf.set(owner, (sessionsOf.get(owner) ?? new Set()).add(taint.id));
	};

	const hide = (row: string): void => {
		const gone = rows.get(row);
		if (!gone) return;
		rows.delete(row);
		counted(gone, -1);
		const names = tainted.get(gone.id)!;
		const alike = names.get(gone.name)!;
		alike.delete(row);
		if (alike.size === 0) names.delete(gone.name);
		if (names.size > 0) return;
		tainted.delete(gone.id);
		const sessions = sessionsOf.get(ownerOf(gone));
		sessions?.delete(gone.id);
		if (sessions?.size === 0) sessionsOf.delete(ownerOf(gone));
	};

	const take = (entries: Record<string, string | null>): void => {
		for (const [row, text] of Object.entries(entries)) {
			// What the store never had cannot have been taken out of it.
			if (text !== null) show(row, JSON.parse(text) as Taint);
			else if (typeof unsaved.get(row) !== 'string') hide(row);
		}
	};
	take(kv.all(space));
	kv.onChange((plugin, entries) => {
		if (plugin === space) take(entries);
	});

	const save = (entries: Record<string, string | null>): void => {
		for (const [row, text] of Object.entries(entries)) unsaved.set(row, text);
		kv.putSoon(space, entries).then(
			() => {
				for (const [row, text] of Object.entries(entries)) if (unsaved.get(row) === text) unsaved.delete(row);
			},
			error => {
				onWriteFailed(error);
				if (closed) return;
				retry ??= setTimeout(() => {
					retry = undefined;
					if (unsaved.size > 0) save(Object.fromEntries(unsaved));
				}, retryMs).unref();
			},
		);
	};

	const placesFor = (exchange: Exchange): Places | undefined => {
		const known = places.get(exchange);
		if (known) return known;
		const found = placesOf(exchange, reach);
		if (found) places.set(exchange, found);
		return found;
	};

	const isFull = (place: Place): boolean =>
		place.session !== undefined && !tainted.has(place.id) && (sessionsOf.get(ownerOf(place))?.size ?? 0) >= mostSessions;

	const stain = (place: Place, named: string, exchange: string): void => {
		const names = tainted.get(place.id);
		const name = !names || names.size < mostNames || names.has(named) ? named : otherName;
		const before = lastOf(names?.get(name));
		const at = now();
		if (before && before.until > at && at - before.at < lastMs / renewals) return;
		const taint: Taint = {...place, name, at, until: at + lastMs, exchange};
		save({[rowOf(taint)]: JSON.stringify(taint), ...(before && before.at !== at && {[rowOf(before)]: null})});
	};

	const sweep = setInterval(() => {
		const gone = [...rows].filter(([, {until}]) => until < now()).map(([row]) => row);
		if (gone.length > 0) save(Object.fromEntries(gone.map(row => [row, null])));
	}, sweepMs).unref();

	return {
		note(exchange, named) {
			const name = taintAlone(exchange, named);
			const found = placesFor(exchange);
			for (const place of found?.stays ?? []) stain(isFull(place) ? found!.key : place, name, exchange.id);
		},

		of(exchange) {
			const {principal} = exchange;
			const mayBe = tainted.size > 0 && principal && ownersFor(principal).some(owner => rowsOf.has(owner));
			if (!mayBe) return ownTaints(exchange);
			const names = new Set(exchange.taints);
			const at = now();
			for (const {id} of placesFor(exchange)?.heldBy ?? [])
				for (const [name, alike] of tainted.get(id) ?? []) if (lastOf(alike)!.until > at) names.add(name);
			return [...names].sort();
		},

		list() {
			const at = now();
			return [...tainted.values()]
				.flatMap(names => [...names.values()].map(alike => lastOf(alike)!))
				.filter(({until}) => until > at)
				.sort((one, other) => one.at - other.at);
		},

		async lift(place, name) {
			const own = [...rows].filter(([, taint]) => taint.id === place && (name === undefined || taint.name === name));
			const lifted = [...new Map(own.map(([, taint]) => [taint.name, taint])).values()];
			for (const [row] of own) unsaved.delete(row);
			if (own.length > 0) await kv.put(space, Object.fromEntries(own.map(([row]) => [row, null])));
			return lifted.filter(({until}) => until > now());
		},

		close() {
			closed = true;
			clearInterval(sweep);
			clearTimeout(retry);
		},
	};
};
