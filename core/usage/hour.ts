import {hash} from 'node:crypto';
import {dimensions, sums} from '../store/usage.ts';
import type {About, Names} from './names.ts';

type Values = Record<(typeof dimensions)[number], string>;

/** What a row counts, in the order of `dimensions`, and the name by which the store finds it: of one length, and the same everywhere. */
export type Label = {id: string; values: readonly string[]};

/** What one combination of everything is called in rows that tell keys apart, and in those that do not. */
export type Labels = {kind: 'all' | About['kind']; key: Label; team: Label};

export type Entry = {labels: Labels; amounts: number[]};

export type Limits = {
	/** So many models, deployments, servers, tools, tags, verdicts and units of each hour are told apart, and… */
	names: number;
	/** …so many combinations of everything; what comes after counts as `other`. A client can make up tags, and so fill theirs. */
	rows: number;
	aboutRows: number;
};

/** Labels of so many combinations are remembered: making one again costs a few microseconds. */
const mostLabels = 20_000;

/** What stands for all that is not told apart. */
const other = 'other';

const labelOf = (of: Values): Label => {
	const values = dimensions.map(name => of[name].toWellFormed());
	return {id: hash('sha256', JSON.stringify(values), 'base64url').slice(0, 22), values};
};

const labelsOf = (kind: Labels['kind'], values: Values): Labels => ({
	kind,
	key: labelOf(values),
	team: labelOf({...values, user: '', key: ''}),
});

const valuesOf = (value: string, names: Names): Values => {
	const {tenant, team, user, deployment} = names;
	const slash = deployment.indexOf('/');
	return {
		...names,
		value,
		team: team && `${tenant}/${team}`,
		user: user && `${tenant}/${user}`,
		provider: slash < 0 ? deployment : deployment.slice(0, slash),
	};
};

/** One hour: what is to be handed over, and all that was told apart in it so far. */
export const openHour = (limits: Limits) => {
	const known: Record<'model' | 'deployment' | 'server' | 'tool' | About['kind'], Set<string>> = {
		model: new Set(),
		deployment: new Set(),
		server: new Set(),
		tool: new Set(),
		tag: new Set(),
		verdict: new Set(),
		unit: new Set(),
	};
	/** Combinations that are told apart, by path. */
	const apart: Record<Labels['kind'], Set<string>> = {all: new Set(), tag: new Set(), verdict: new Set(), unit: new Set()};
	const remembered = new Map<string, Labels>();
	let entries = new Map<string, Entry>();

	const told = (kind: keyof typeof known, name: string): string => {
		const names = known[kind];
		if (names.has(name) || name === '') return name;
		if (names.size >= limits.names) return other;
		names.add(name);
		return name;
	};

	const enter = (place: string, its: Labels): Entry => {
		const entry = {labels: its, amounts: sums.map(() => 0)};
		entries.set(place, entry);
		return entry;
	};

	return {
		/** Where this is counted: under its own path, or, past the bounds, with others. */
		entry: (path: string, kind: Labels['kind'], value: string, names: Names): Entry => {
			const found = entries.get(path);
			if (found !== undefined) return found;
			const seen = remembered.get(path);
			if (seen !== undefined) return enter(path, seen);
			const values = valuesOf(value, names);
			const kept = {
				...values,
				model: told('model', values.model),
				deployment: told('deployment', values.deployment),
				server: told('server', values.server),
				tool: told('tool', values.tool),
				value: kind === 'all' ? '' : told(kind, value),
			};
			const isWhole = (['model', 'deployment', 'server', 'tool', 'value'] as const).every(name => kept[name] === values[name]);
			const paths = apart[kind];
			const isFull = paths.size >= (kind === 'all' ? limits.rows : limits.aboutRows) && !paths.has(path);
			if (isWhole && !isFull) {
				const made = labelsOf(kind, kept);
				paths.add(path);
				if (remembered.size < mostLabels) remembered.set(path, made);
				return enter(path, made);
			}
			if (isFull) Object.assign(kept, {user: values.user && other, key: values.key && other});
			const place = JSON.stringify([kind, kept]);
			return entries.get(place) ?? enter(place, labelsOf(kind, kept));
		},
		/** What was counted since the last time; what was told apart stays known. */
		take: (): Entry[] => {
			const taken = [...entries.values()];
			entries = new Map();
			return taken;
		},
	};
};
export type Hour = ReturnType<typeof openHour>;
