import {detect, type Types} from './detectors.ts';
import {type Kind, kinds} from './kinds.ts';

/** Which placeholder stands for which value in one exchange. */
export type Vault = {
	readonly placeholders: Map<string, string>;
	readonly values: Map<string, string>;
	readonly counts: Map<Kind, number>;
};

/** A vault as plain data: what to keep between a request and its reply. */
export type VaultEntries = ReadonlyArray<readonly [placeholder: string, value: string]>;

const shape = new RegExp(`\\[(?:${kinds.join('|')})_[1-9]\\d{0,5}\\]`, 'g');
const longestPlaceholder = '[FI_PERSONAL_IDENTITY_CODE_123456]'.length + 1;

/** `[EMAIL_1]`: the nth placeholder of a type. */
export const placeholder = (type: Kind, n: number): string => `[${type}_${n}]`;

const isType = (name: string): name is Kind => kinds.some(type => type === name);

const typeOf = (mark: string): Kind | undefined => {
	const name = mark.slice(1, mark.lastIndexOf('_'));
	return isType(name) ? name : undefined;
};

export const createVault = (entries: VaultEntries = []): Vault => {
	const vault: Vault = {placeholders: new Map(), values: new Map(), counts: new Map()};
	for (const [mark, value] of entries) {
		const type = typeOf(mark);
		if (type !== undefined) {
			vault.values.set(mark, value);
			vault.placeholders.set(`${type} ${value}`, mark);
			vault.counts.set(type, Math.max(vault.counts.get(type) ?? 0, Number(mark.slice(type.length + 2, -1))));
		}
	}

	return vault;
};

export const vaultEntries = (vault: Vault): VaultEntries => [...vault.values];

/** The placeholder of a value: the same one whenever the value comes again. */
export const placeholderFor = (vault: Vault, type: Kind, value: string): string => {
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

/** Gives text that looks like a placeholder one of its own, so that it comes back as it was and never as somebody's value. */
const escapeMarks = (text: string, vault: Vault): string =>
	text.includes('[') ? text.replace(shape, mark => placeholderFor(vault, typeOf(mark) ?? 'API_KEY', mark)) : text;

/** What of a text is to be replaced; what is not `reversible` is masked for good. */
type Part = {readonly start: number; readonly end: number; readonly type: Kind; readonly value: string; readonly reversible: boolean};

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

/** `text` with every placeholder of this vault turned back into its value; any other stays as it is. */
export const restoreText = (text: string, vault: Vault): string =>
	text.includes('[') ? text.replace(shape, mark => vault.values.get(mark) ?? mark) : text;

/** The same for a text that comes in pieces: holds back what may be the beginning of a placeholder. */
export const restoreStep = (held: string, added: string, final: boolean, vault: Vault): {readonly out: string; readonly held: string} => {
	const text = held + added;
	const bracket = text.lastIndexOf('[');
	const rest = text.slice(bracket);
	const waits = !final && bracket !== -1 && rest.length < longestPlaceholder && /^\[[A-Z_\d]*$/.test(rest);
	const cut = waits ? bracket : text.length;
	return {out: restoreText(text.slice(0, cut), vault), held: text.slice(cut)};
};
