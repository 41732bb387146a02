import type {Inside} from './detectors.ts';
import type {IdState} from './ids/stream.ts';
import {createVault, type Placeholders, type Vault, type VaultEntries, vaultEntries} from './vault.ts';

/** What has to be known of a channel before its next piece. */
export type Channel = {
	/** The end of what the operator's own patterns cleared, for them to look back at. */
	seen: string;
	ids: IdState;
	/** What those cleared, and what may still become a number of a state. */
	waiting: string;
	before: string;
	clear: number;
	/** What is cleared as no such number, and may still become another value. */
	held: string;
	inside: Inside;
	/** The beginning of what may be a placeholder. */
	mark: string;
};

/** What one exchange carries from hook to hook: as secret as the text itself, and never stored. `seed`: pseudonyms are drawn from it. */
export type Memory = {vault: Vault; channels: Record<number, Channel>; seed?: string | undefined};

type Written = {vault: VaultEntries; channels: Record<number, Channel>; seed?: string | undefined};

export const readMemory = (carried: string | undefined, placeholdersIn?: Placeholders): Memory => {
	if (carried === undefined) return {vault: createVault([], placeholdersIn), channels: {}};
	// Only this plugin's own `carry` comes back here.
	const {vault, channels, seed} = JSON.parse(carried) as Written;
	return {vault: createVault(vault, placeholdersIn), channels, seed};
};

export const writeMemory = ({vault, channels, seed}: Memory): string =>
	JSON.stringify({vault: vaultEntries(vault), channels, seed} satisfies Written);
