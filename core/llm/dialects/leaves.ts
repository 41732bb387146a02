import {opaque, structural} from '../fields.ts';
import {isObject, type JsonObject} from '../json.ts';
import type {Delta} from './dialect.ts';

/** A key as it stands in a channel's name, where a dot divides. */
const segment = (key: string): string => (/^\w+$/.test(key) ? key : encodeURIComponent(key).replaceAll('.', '%2E'));

/** The keys and indexes that `channelPath` was made of; an index is a number. */
export const pathOf = (channel: string): (string | number)[] =>
	channel.split('.').map(part => (/^\d+$/.test(part) ? Number(part) : decodeURIComponent(part)));

/** The index that an item of a list says it has, or its place in the list. */
export const place = (item: unknown, index: number): number =>
	isObject(item) && typeof item.index === 'number' && Number.isSafeInteger(item.index) && item.index >= 0 ? item.index : index;

/** `isLeft`: no delta, but left to labels, or to somebody who has read it. */
type Kind = {whole: boolean; isLeft(key: string, value: unknown): boolean};

/** `own`: fields of `value` itself that are left out, and not those of that name within. */
const walk = (value: unknown, channel: string, kind: Kind, found: Delta[], own: readonly string[] = []): void => {
	if (Array.isArray(value))
		for (const [index, item] of value.entries()) leafOf(item, `${channel}.${place(item, index)}`, kind, found, [value, index]);
	else if (isObject(value)) {
		for (const key of Object.keys(value)) {
			if (kind.isLeft(key, value[key]) || own.includes(key)) continue;
			leafOf(value[key], channel === '' ? segment(key) : `${channel}.${segment(key)}`, kind, found, [value, key]);
		}
	}
};

const leafOf = (value: unknown, channel: string, kind: Kind, found: Delta[], at: Parameters<typeof deltaAt>[0]): void => {
	if (typeof value !== 'string') walk(value, channel, kind, found);
	else if (value !== '') found.push({channel, text: value, whole: kind.whole, ...deltaAt(at)});
};

/** Where a delta stands. */
export const deltaAt = ([holder, place]: [JsonObject, string] | [unknown[], number]): Pick<Delta, 'holder' | 'place' | 'set'> => ({
	holder,
	place,
	set(text) {
		if (Array.isArray(holder)) holder[Number(place)] = text;
		else holder[place] = text;
	},
});

/** Names, ids and ciphers: not deltas, but labels. */
const skipped: ReadonlySet<string> = new Set([...structural, ...opaque, 'name', 'data']);

const leaving = (skips: ReadonlySet<string>) => (key: string) => skips.has(key);

/** The strings under `value` that later events add to. */
export const fragments = (value: unknown, channel: string, found: Delta[]): void =>
	walk(value, channel, {whole: false, isLeft: leaving(skipped)}, found);

/** What `wholes` leaves out: `fields`, beside names, ids and ciphers. */
export const except = (...fields: readonly string[]): ReadonlySet<string> => new Set([...skipped, ...fields]);

/** The strings under `value` that are complete. */
export const wholes = (
	value: unknown,
	channel: string,
	found: Delta[],
	skips: ReadonlySet<string> = skipped,
	own?: readonly string[],
): void => walk(value, channel, {whole: true, isLeft: leaving(skips)}, found, own);

const bytesOnly = /^[\w+/=-]+$/;

/** The name of a field says nothing about a page that a tool has read: no more than one word of it is a name, and only bytes are a cipher. */
const isName = (key: string, value: unknown): boolean => {
	if (typeof value !== 'string' || !skipped.has(key)) return false;
	return key === 'data' || opaque.has(key) ? bytesOnly.test(value) : value.length <= 256 && !/\s/.test(value);
};

/** The strings of what a tool has answered. */
export const results = (value: unknown, channel: string, found: Delta[]): void =>
	walk(value, channel, {whole: true, isLeft: isName}, found);
