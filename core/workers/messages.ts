import type {Complaint} from '../config/problems.ts';
import type {LoadedConfig, ResolvedConfig} from '../config.ts';
import type {Address} from './address.ts';

/** What a worker starts with: the config as its supervisor has read it, so that all of them run the same. */
export type Begin = Pick<LoadedConfig, 'file' | 'leftOut'> & {
	config: ResolvedConfig;
	chain: string;
	address: Address;
	/** Says what runs, for all of them. */
	greets: boolean;
};

/** From the supervisor to a worker, over node's own channel. */
export type ToWorker =
	| ({kind: 'begin'} & Begin)
	/** To be answered with `counted`. */
	| {kind: 'count'; ask: number}
	/** The metrics of all, as asked for. */
	| {kind: 'sum'; ask: number; text: string}
	| {kind: 'stop'};

/** From a worker to its supervisor. */
export type FromWorker =
	| {kind: 'hello'}
	| {kind: 'ready'; url: string}
	/** Why it could not start; what it complains of in the config is still without its lines. */
	| {kind: 'failed'; message: string; complaints: Complaint[]}
	| {kind: 'counted'; ask: number; text: string}
	| {kind: 'sum'; ask: number};
