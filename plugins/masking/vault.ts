import {detect, type Types} from './detectors.ts';
import {kinds} from './kinds.ts';
import {pseudonymOf} from './pseudonyms.ts';
import {createMarks, type Marks} from './restore.ts';

/** Which placeholder stands for which value in one exchange. */
export type Vault = {
	readonly placeholders: Map<string, string>;
	readonly values: Map<string, string>;
	readonly counts: Map<string, number>;
	/** Pseudonyms that the provider got: in what it answers they are no finding. */
	readonly made: Set<string>;
	readonly placeholdersIn: Placeholders;
};

/** A placeholder or pseudonym, and its value where the client gets that back. */
export type VaultEntry = readonly [mark: string, value: string | null, type: string];

/** A vault as plain data: what to keep between a request and its reply. */
export type VaultEntries = readonly VaultEntry[];

/** `text` with what `means` says of each placeholder in it, or of what looks like one. */
export type Placeholders = (text: string, means: (mark: string) => string) => string;

/** The placeholders of these types. The expression is kept inside, since a config is frozen and an expression that remembers is not. */
export const placeholdersOf = (types: readonly string[]): Placeholders => {
	const shape = new RegExp(`\\[(?:${types.join('|')})_[1-9]\\d{0,5}\\]`, 'g');
	return (text, means) => (text.includes('[') ? text.replace(shape, mark => means(mark)) : text);
};

const builtIn = placeholdersOf(kinds);

/** The longest name of a type, and six digits. */
const longestPlaceholder = 48;

/** `[EMAIL_1]`: the nth placeholder of a type. */
export const placeholder = (type: string, n: number): string => `[${type}_${n}]`;

const typeOf = (mark: string): string => mark.slice(1, mark.lastIndexOf('_'));

const isPlaceholder = (mark: string): boolean => mark.startsWith('[');

const learn = (vault: Vault, [mark, value, type]: VaultEntry): void => {
	if (!isPlaceholder(mark)) vault.made.add(mark);
	if (value === null) return;
	vault.values.set(mark, value);
	vault.placeholders.set(`${type} ${value}`, mark);
	if (isPlaceholder(mark)) vault.counts.set(type, Math.max(vault.counts.get(type) ?? 0, Number(mark.slice(type.length + 2, -1))));
};

export const createVault = (entries: VaultEntries = [], placeholdersIn: Placeholders = builtIn): Vault => {
	const vault: Vault = {placeholders: new Map(), values: new Map(), counts: new Map(), made: new Set(), placeholdersIn};
	for (const entry of entries) learn(vault, entry);
	return vault;
};

export const vaultEntries = ({placeholders, made, values}: Vault): VaultEntries => [
	...[...placeholders].map(([key, mark]): VaultEntry => {
		const space = key.indexOf(' ');
		return [mark, key.slice(space + 1), key.slice(0, space)];
	}),
	...[...made].filter(mark => !values.has(mark)).map((mark): VaultEntry => [mark, null, '']),
];

/** The placeholder of a value: the same one whenever the value comes again. */
export const placeholderFor = (vault: Vault, type: string, value: string): string => {
	const key = `${type} ${value}`;
	const known = vault.placeholders.get(key);
	if (known !== undefined) {
		return known;
	}

	const n = (vault.counts.get(type) ?? 0) + 1;
	const mark = placeholder(type, n);
	vault.counts.set(type, n);
	vault.placeholders.set(key, mark);
	vault.values.set(mark, value);
	return mark;
};

const mostAttempts = 20;

/**
 * The pseudonym of a value: the same one whenever the value comes again, and no other value's in this exchange. Undefined where it has none.
 * With `back`, the client gets the value where the reply says the pseudonym.
 */
export const pseudonymFor = (vault: Vault, seed: string, type: string, value: string, back: boolean): string | undefined => {
	const known = vault.placeholders.get(`${type} ${value}`);
	if (known !== undefined) return known;
	for (let attempt = 0; attempt < mostAttempts; attempt++) {
		const mark = pseudonymOf(seed, type, value, attempt);
		if (mark === undefined) return;
		if (mark === value || (back && vault.values.has(mark))) continue;
		learn(vault, [mark, back ? value : null, type]);
		return mark;
	}
};

/** Gives text that looks like a placeholder one of its own, so that it comes back as it was and never as somebody's value. */
const escapeMarks = (text: string, vault: Vault): string => vault.placeholdersIn(text, mark => placeholderFor(vault, typeOf(mark), mark));

/** What of a text is to be replaced; what is not `reversible` is masked for good. */
type Part = {readonly start: number; readonly end: number; readonly type: string; readonly value: string; readonly reversible: boolean};

const usual = (vault: Vault, {type, value, reversible}: Part): string => (reversible ? placeholderFor(vault, type, value) : `[${type}]`);

/** `text` with something else for each of its parts: a placeholder, where `write` says nothing else. */
export const maskParts = <Some extends Part>(
	text: string,
	parts: readonly Some[],
	vault: Vault,
	write: (part: Some) => string = part => usual(vault, part),
): string => {
	let out = '';
	let at = 0;
	for (const part of parts) {
		out += escapeMarks(text.slice(at, part.start), vault) + write(part);
		at = part.end;
	}

	return out + escapeMarks(text.slice(at), vault);
};

/** `text` with a placeholder for every value; what is masked for good becomes `[TYPE]`. */
export const maskText = (text: string, types: Types, vault: Vault): string => maskParts(text, detect(text, types), vault);

/** `size`: what the vault knew then; it only grows. */
const marksKnown = new WeakMap<Vault, {marks: Marks; size: number}>();

const marksOf = (vault: Vault): Marks => {
	const {made, values} = vault;
	const size = made.size + values.size;
	const known = marksKnown.get(vault);
	if (known?.size === size) return known.marks;
	const marks = createMarks([...made].filter(mark => values.has(mark)));
	marksKnown.set(vault, {marks, size});
	return marks;
};

const placeholdersRestored = (text: string, vault: Vault): string => vault.placeholdersIn(text, mark => vault.values.get(mark) ?? mark);

/** `text` with every placeholder and pseudonym of this vault turned back into its value; any other stays as it is. */
export const restoreText = (text: string, vault: Vault): string => {
	const plain = placeholdersRestored(text, vault);
	return vault.made.size === 0 ? plain : marksOf(vault).replace(plain, mark => vault.values.get(mark) ?? mark);
};

const openPlaceholder = (text: string): number => {
	const bracket = text.lastIndexOf('[');
	const rest = text.slice(bracket);
	return bracket !== -1 && rest.length < longestPlaceholder && /^\[[A-Z_\d]*$/.test(rest) ? bracket : text.length;
};

/** The same for a text that comes in pieces: holds back what may be the beginning of a placeholder or pseudonym. */
export const restoreStep = (held: string, added: string, final: boolean, vault: Vault): {readonly out: string; readonly held: string} => {
	const text = held + added;
	const marks = vault.made.size === 0 ? undefined : marksOf(vault);
	const cut = final ? text.length : Math.min(openPlaceholder(text), marks?.openAt(text) ?? text.length);
	const plain = placeholdersRestored(text.slice(0, cut), vault);
	return {out: marks?.replace(plain, mark => vault.values.get(mark) ?? mark) ?? plain, held: text.slice(cut)};
};
