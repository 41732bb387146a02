import {openTally} from '../core/usage/tally.ts';
import type {JournalRecord} from '../schemas/record.ts';

/**
 * What counting an exchange costs where its reply ends: `node bench/usage.ts`. Microseconds of CPU for each, the best of several rounds,
 * of exchanges by a thousand keys: plain, with two tags, and with a verdict and units besides.
 */
const record = (index: number): JournalRecord => ({
	kind: 'exchange',
	exchange: 'ex',
	surface: 'openai',
	operation: 'chat',
	principal: {id: `key_${index}`, tenant: 'acme', team: `team-${index % 20}`, user: `user-${index % 300}`, key: `key_${index}`},
	model: 'fast',
	deployment: 'local/echo',
	outcome: 'ok',
	usage: {inputTokens: 100, outputTokens: 50, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, source: 'reported'},
	costMicroUsd: 200,
	rulings: [{plugin: 'virtual-keys', hook: 'pre-auth', verdict: 'identify'}],
	bookings: [{key: 'team:acme/search|microUsd|month|2026-11-01T00:00:00Z', amount: 200}],
	totalMs: 12.5,
	overheadMs: 0.4,
});
const masked = {plugin: 'masking', hook: 'pre-request', verdict: 'rewrite'};
const plain = Array.from({length: 1_000}, (_, index) => record(index));
const tagged = plain.map(one => ({...one, tags: ['blue', 'nightly']}));
const full = tagged.map(one => ({...one, rulings: [masked], usage: {...one.usage!, counts: {webSearches: 2}}}));

const at = Date.parse('2026-11-22T10:30:00Z');
const rounds = 12;
const perRound = 100;

for (const [name, records] of Object.entries({plain, tagged, full})) {
	const tally = openTally();
	let best = Number.POSITIVE_INFINITY;
	let takeMs = 0;
	let rows = 0;
	for (let round = 0; round < rounds; round++) {
		const before = process.cpuUsage();
		for (let count = 0; count < perRound; count++) for (const one of records) tally.add(one, at);
		const {user, system} = process.cpuUsage(before);
		best = Math.min(best, (user + system) / (perRound * records.length));
		const begun = performance.now();
		rows = tally.take().length;
		takeMs = performance.now() - begun;
	}
	console.log(`${name.padEnd(8)} ${best.toFixed(2)} µs each; ${rows} rows handed over once a second in ${takeMs.toFixed(1)} ms`);
}
