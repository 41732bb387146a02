import type {ExecutionContext} from 'ava';
import {startGateway} from '../helpers/gateway.ts';
import {type Findings, type Revision, revisions, run, scoredBy} from './runner.ts';
import {startShim} from './shim.ts';
import {startUpstream} from './upstream.ts';

/** One check of a scenario, seen at the upstream and through the gateway; several of one id stand behind each other. */
export type Difference = {scenario: string; check: string; direct: string; through: string};

/** The same runs against an upstream and against the gateway in front of it. */
export type Comparison = {
	upstream: Eras;
	revision: Revision;
	scenarios: number;
	checks: number;
	/** Scenarios without a failure and a warning, of those that the revision requires. */
	passed: {of: number; direct: number | undefined; through: number};
	/** The ones among them that did not pass through the gateway, and what the runner said of them. */
	failed: {scenario: string; why: string[]}[];
	/** What is not the same in both; empty where there is nothing to compare with. */
	differences: Difference[];
};

/** What an upstream speaks. */
export type Eras = 'both eras' | 'sessions only' | 'no sessions';

const isPassed = (checks: Map<string, string> | undefined): boolean =>
	checks !== undefined && [...checks.values()].every(statuses => !/FAILURE|WARNING/.test(statuses));

const differ = (direct: Findings, through: Findings): Difference[] =>
	[...new Set([...direct.keys(), ...through.keys()])].flatMap(scenario => {
		const [before, after] = [direct.get(scenario), through.get(scenario)];
		return [...new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])].flatMap(check => {
			const difference = {scenario, check, direct: before?.get(check) ?? 'missing', through: after?.get(check) ?? 'missing'};
			return difference.direct === difference.through ? [] : [difference];
		});
	});

type Ends = Pick<ExecutionContext, 'teardown'>;

/** What is compared: an upstream, and clients of a revision. */
export type Pairing = readonly [upstream: Eras, revision: Revision];

export const pairings: readonly Pairing[] = (['both eras', 'sessions only', 'no sessions'] as const).flatMap(upstream =>
	revisions.map(revision => [upstream, revision] as const),
);

const started = {'both eras': 'both', 'sessions only': 'legacy', 'no sessions': 'modern'} as const;

/** What knows one era alone has no answers of its own for the other. */
const answersItself = (upstream: Eras, revision: Revision): boolean =>
	upstream === 'both eras' || (upstream === 'sessions only') === (revision === revisions[0]);

const compareOne = async (t: Ends, [upstream, revision]: Pairing): Promise<Comparison> => {
	// One each: what one runner changes is not for the other to hear.
	const own = await startUpstream(started[upstream]);
	const behind = await startUpstream(started[upstream]);
	const gateway = await startGateway(t, {servers: {upstream: {url: behind.url, asks: ['elicitation', 'sampling', 'roots']}}});
	const door = await startShim(`${gateway.url}/mcp/upstream`, await gateway.key());
	t.teardown(async () => {
		for (const each of [door, own, behind]) await each.close();
	});
	const [direct, through] = await Promise.all([
		answersItself(upstream, revision) ? run(own.url, revision) : undefined,
		run(door.url, revision),
	]);
	const scored = [...(await scoredBy(revision))];
	const {findings, problems} = through;
	const failed = scored.filter(name => !isPassed(findings.get(name)));
	return {
		upstream,
		revision,
		scenarios: findings.size,
		checks: [...findings.values()].reduce((sum, checks) => sum + checks.size, 0),
		passed: {
			of: scored.length,
			direct: direct && scored.filter(name => isPassed(direct.findings.get(name))).length,
			through: scored.length - failed.length,
		},
		failed: failed.map(scenario => ({
			scenario,
			why: problems.filter(problem => problem.scenario === scenario).map(({message}) => message),
		})),
		differences: direct ? differ(direct.findings, findings) : [],
	};
};

/** Runs the official runner against real upstreams on loopback, and against a real gateway in front of each; they stand until `t` ends. */
export const compare = async (t: Ends, chosen: readonly Pairing[] = pairings): Promise<Comparison[]> => {
	const found: Comparison[] = [];
	for (const pairing of chosen) found.push(await compareOne(t, pairing));
	return found;
};
