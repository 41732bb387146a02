import {type DetectorType, detect, detectorTypes, type Types} from './detectors.ts';

/** Which placeholder stands for which value in one exchange. */
export type Vault = {
	readonly placeholders: Map<string, string>;
	readonly values: Map<string, string>;
	readonly counts: Map<DetectorType, number>;
};

/** A vault as plain data: what to keep between a request and its reply. */
export type VaultEntries = ReadonlyArray<readonly [placeholder: string, value: string]>;

const shape = new RegExp(`\\[(?:${detectorTypes.join('|')})_[1-9]\\d{0,5}\\]`, 'g');
const longestPlaceholder = '[US_SSN_123456]'.length + 1;

/** `[EMAIL_1]`: the nth placeholder of a type. */
export const placeholder = (type: DetectorType, n: number): string => `[${type}_${n}]`;

const isType = (name: string): name is DetectorType => detectorTypes.some(type => type === name);

const typeOf = (mark: string): DetectorType | undefined => {
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
export const placeholderFor = (vault: Vault, type: DetectorType, value: string): string => {
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

/** `text` with a placeholder for every value; what is masked for good becomes `[TYPE]`. */
export const maskText = (text: string, types: Types, vault: Vault): string => {
	let out = '';
	let at = 0;
	for (const {start, end, type, value, reversible} of detect(text, types)) {
		out += escapeMarks(text.slice(at, start), vault) + (reversible ? placeholderFor(vault, type, value) : `[${type}]`);
		at = end;
	}

	return out + escapeMarks(text.slice(at), vault);
};

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
