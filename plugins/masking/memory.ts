import type {Inside} from './detectors.ts';
import type {IdState} from './ids/stream.ts';
import {createVault, type Vault, type VaultEntries, vaultEntries} from './vault.ts';

/** What has to be known of a channel before its next piece. */
export type Channel = {
	ids: IdState;
	before: string;
	clear: number;
	/** What the gateway counts as cleared, and what may still become a value. */
	held: string;
	inside: Inside;
	/** The beginning of what may be a placeholder. */
	mark: string;
};

/** What one exchange carries from hook to hook: as secret as the text itself, and never stored. */
export type Memory = {vault: Vault; channels: Record<number, Channel>};

type Written = {vault: VaultEntries; channels: Record<number, Channel>};

export const readMemory = (carried: string | undefined): Memory => {
	if (carried === undefined) return {vault: createVault(), channels: {}};
	// Only this plugin's own `carry` comes back here.
	const {vault, channels} = JSON.parse(carried) as Written;
	return {vault: createVault(vault), channels};
};

export const writeMemory = ({vault, channels}: Memory): string => JSON.stringify({vault: vaultEntries(vault), channels} satisfies Written);
