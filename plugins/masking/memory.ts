import type {IdState} from './ids/stream.ts';
import {entriesOf, type Runs, runsOf} from './runs.ts';
import type {StreamState} from './stream.ts';
import {createVault, type Placeholders, type Vault, vaultEntries} from './vault.ts';

/** What has to be known of a channel before its next piece. */
export type Channel = {
	/** The end of what the operator's own patterns cleared, for them to look back at. */
	seen: string;
	ids: IdState;
	/** What those cleared, and what may still become a number of a state. */
	waiting: string;
	/** What is cleared as no such number, and may still become another value. */
	values: StreamState;
	/** The beginning of what may be a placeholder. */
	mark: string;
};

/** What one exchange carries from hook to hook: as secret as the text itself, and never stored. `seed`: pseudonyms are drawn from it. */
export type Memory = {vault: Vault; channels: Record<number, Channel>; seed?: string | undefined};

type Written = {channels: Record<number, Channel>; seed?: string | undefined};

/** What a vault was read from; `size`: what it knew then, since a vault only grows. */
type Known = {text: string; vault: Vault; size: number};

/** Each piece of a stream brings the vault of its request again. Shorter ones are read as fast as they are looked for. */
const worthKeeping = 2_000;
const mostKept = 32;
/** As much as one `carry` may hold. */
const mostKeptChars = 1_000_000;

/** The last ones met, the latest at the end. Whoever finds one had all of its text already. */
const kept: Known[] = [];

const sizeOf = ({placeholders, values, made}: Vault): number => placeholders.size + values.size + made.size;

const keep = (known: Known): void => {
	kept.push(known);
	let chars = kept.reduce((sum, {text}) => sum + text.length, 0);
	while (kept.length > 1 && (kept.length > mostKept || chars > mostKeptChars)) chars -= kept.shift()!.text.length;
};

const vaultOf = (text: string, placeholdersIn: Placeholders | undefined): Vault => {
	const at = kept.findIndex(
		({text: other, vault, size}) =>
			other === text && sizeOf(vault) === size && (placeholdersIn === undefined || vault.placeholdersIn === placeholdersIn),
	);
	if (at !== -1) {
		const [known] = kept.splice(at, 1);
		kept.push(known!);
		return known!.vault;
	}
	const vault = createVault(entriesOf(JSON.parse(text) as Runs), placeholdersIn);
	if (text.length >= worthKeeping) keep({text, vault, size: sizeOf(vault)});
	return vault;
};

const textOf = (vault: Vault): string => {
	const known = kept.find(({vault: other}) => other === vault);
	return known !== undefined && known.size === sizeOf(vault) ? known.text : JSON.stringify(runsOf(vaultEntries(vault)));
};

/** What `writeMemory` wrote. The vault may be shared with whoever brings the same one: what is in it already must not be changed. */
export const readMemory = (carried: string | undefined, placeholdersIn?: Placeholders): Memory => {
	if (carried === undefined) return {vault: createVault([], placeholdersIn), channels: {}};
	// Only this plugin's own `carry` comes back here.
	const space = carried.indexOf(' ');
	const end = space + 1 + Number(carried.slice(0, space));
	const {channels, seed} = JSON.parse(carried.slice(end)) as Written;
	return {vault: vaultOf(carried.slice(space + 1, end), placeholdersIn), channels, seed};
};

/** The length of the vault's text, that text, and the rest: what stays the same from piece to piece is not written anew. */
export const writeMemory = ({vault, channels, seed}: Memory): string => {
	const text = textOf(vault);
	return `${text.length} ${text}${JSON.stringify({channels, seed} satisfies Written)}`;
};
