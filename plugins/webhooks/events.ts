import * as z from 'zod';
import type {Json} from '../../plugin-sdk/index.ts';

const outcome = z.enum(['ok', 'failed', 'aborted', 'denied']);

const endpoint = z.strictObject({
	/** Its host has to be in this entry's grants. */
	url: z
		.string()
		.max(2_000)
		.regex(/^https?:\/\/[^\s/]+(\/\S*)?$/, 'a URL, like https://hooks.example/in'),
	/** The name of the secret in this entry's grants. */
	secret: z.string().min(1).max(100).default('webhook'),
	/** Whether limits that were reached are told. */
	notices: z.boolean().default(true),
	/** Exchanges that are told: those that ended so. */
	outcomes: z.array(outcome).max(outcome.options.length).default([]),
});
export type Endpoint = z.output<typeof endpoint>;

export const config = z.strictObject({
	endpoints: z.array(endpoint).min(1).max(10),
	/** How long a receiver may take. */
	timeoutMs: z.int().min(100).max(30_000).default(10_000),
	/** Messages that could not be delivered are kept, so many at most. */
	keep: z.int().min(0).max(10_000).default(1_000),
});
export type Config = z.output<typeof config>;

/** As much of a record as the manifest reads. */
export type Recorded = {
	exchange?: string | undefined;
	outcome?: string | undefined;
	notices?: readonly object[] | undefined;
	[field: string]: unknown;
};

/** What is told of one record to one endpoint. */
export type Told = {type: string; data: Json; isNotice: boolean};

export const toldOf = ({notices, ...record}: Recorded, endpoint: Endpoint): Told[] => {
	const {exchange, outcome} = record;
	const told: Told[] = [];
	if (endpoint.notices) {
		for (const notice of notices ?? [])
			told.push({type: 'limit.reached', data: {...notice, ...(exchange !== undefined && {exchange})} as Json, isNotice: true});
	}
	if (endpoint.outcomes.includes(outcome as Endpoint['outcomes'][number]))
		told.push({type: `exchange.${outcome}`, data: record as Json, isNotice: false});
	return told;
};
