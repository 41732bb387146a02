import type {Address} from './address.ts';

/** What one process of a gateway has for itself, and what it shares with those beside it. */
export type Seat = {
	/** The chain of the journal that it alone writes; by this and the journal's folder the store knows it. */
	chain: string;
	/** Where all of them listen, if not where the config says. */
	address?: Address;
	/** The metrics of all of them, in the Prometheus text format. */
	metricsOfAll?(): Promise<string>;
};

/** A gateway of one process. Its chain is the one that the first of several goes on with. */
export const alone: Seat = {chain: '0'};
