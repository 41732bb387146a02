import type {Usage} from '../../schemas/usage.ts';
import type {StreamUsage} from './dialects/dialect.ts';
import {isObject, type JsonObject} from './json.ts';
import type {Price, Unit} from './prices.ts';

const mostPieces = 1_000_000_000;

const figureAt = (reply: JsonObject, path: string): number | undefined => {
	let found: unknown = reply;
	for (const name of path.split('.')) found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
	return typeof found === 'number' && found >= 0 && found <= mostPieces ? Math.ceil(found) : undefined;
};

const ownUnits = (price: Price | undefined): [name: string, unit: Unit & {reported: string}][] =>
	Object.entries(price?.units ?? {}).flatMap(([name, unit]) =>
		unit.reported === undefined ? [] : [[name, {...unit, reported: unit.reported}]],
	);

/** The units of the config that `reply` reports, in whole pieces. */
export const unitsReported = (reply: JsonObject, price: Price | undefined): Record<string, number> => {
	const counts: Record<string, number> = {};
	for (const [name, {reported}] of ownUnits(price)) {
		const count = figureAt(reply, reported);
		if (count !== undefined) counts[name] = count;
	}
	return counts;
};

/** `usage` with the units of the config. One that the answer did not say counts as the most it can be, and is an estimate then. */
export const withUnits = (usage: Usage, counts: Readonly<Record<string, number>>, price: Price | undefined): Usage => {
	const own = ownUnits(price);
	if (own.length === 0) return usage;
	const all: Record<string, number> = {...usage.counts};
	let missing = false;
	for (const [name, {most = 0}] of own) {
		missing ||= counts[name] === undefined;
		all[name] = counts[name] ?? most;
	}
	const {doubt = 'missing'} = usage;
	return {...usage, counts: all, ...(missing && {source: 'estimated', doubt})};
};

/** The same for a stream: what a later event says replaces what an earlier one did. */
export const countingUnits = (stream: StreamUsage, price: Price | undefined): StreamUsage & {units(): Record<string, number>} => {
	const found: Record<string, number> = {};
	const counts = ownUnits(price).length > 0;
	return {
		...stream,
		see(event) {
			stream.see(event);
			if (counts) Object.assign(found, unitsReported(event, price));
		},
		units: () => found,
	};
};
