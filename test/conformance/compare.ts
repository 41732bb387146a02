import type {ExecutionContext} from 'ava';
import {startGateway} from '../helpers/gateway.ts';
import {type Findings, type Revision, revisions, run, scoredBy} from './runner.ts';
import {startShim} from './shim.ts';
import {startUpstream} from './upstream.ts';

/** One check of a scenario, seen at the upstream and through the gateway; several of one id stand behind each other. */
export type Difference = {scenario: string; check: string; direct: string; through: string};

/** The same runs against an upstream and against the gateway in front of it. */
export type Comparison = {
	upstream: 'both eras' | 'sessions only' | 'no sessions';
	revision: Revision;
	scenarios: number;
	checks: number;
	/** Scenarios without a failure and a warning, of those that the revision requires. */
	passed: {of: number; direct: number | undefined; through: number};
	/** The ones among them that did not pass through the gateway. */
	failed: string[];
	/** What is not the same in both; empty where there is nothing to compare with. */
	differences: Difference[];
	problems: string[];
};

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

/** Runs every comparison; a real gateway and both upstreams stand on loopback until `t` ends. */
export const compare = async (t: Ends): Promise<Comparison[]> => {
	const upstreams = {
		'both eras': await startUpstream('both'),
		'sessions only': await startUpstream('legacy'),
		'no sessions': await startUpstream('modern'),
	};
	const asks = ['elicitation' as const, 'sampling' as const, 'roots' as const];
	const gateway = await startGateway(t, {
		servers: {
			both: {url: upstreams['both eras'].url, asks},
			sessions: {url: upstreams['sessions only'].url, asks},
			none: {url: upstreams['no sessions'].url, asks},
		},
	});
	const key = await gateway.key();
	const doors = {
		'both eras': await startShim(`${gateway.url}/mcp/both`, key),
		'sessions only': await startShim(`${gateway.url}/mcp/sessions`, key),
		'no sessions': await startShim(`${gateway.url}/mcp/none`, key),
	};
	t.teardown(async () => {
		for (const each of [...Object.values(doors), ...Object.values(upstreams)]) await each.close();
	});

	const comparison = async (upstream: Comparison['upstream'], revision: Revision): Promise<Comparison> => {
		// What knows one era alone has no answers of its own for the other.
		const answers = upstream === 'both eras' || (upstream === 'sessions only') === (revision === '2025-11-25');
		const direct = answers ? await run(upstreams[upstream].url, revision) : undefined;
		const {findings, problems} = await run(doors[upstream].url, revision);
		const scored = [...(await scoredBy(revision))];
		return {
			upstream,
			revision,
			scenarios: findings.size,
			checks: [...findings.values()].reduce((sum, checks) => sum + checks.size, 0),
			passed: {
				of: scored.length,
				direct: direct && scored.filter(name => isPassed(direct.findings.get(name))).length,
				through: scored.filter(name => isPassed(findings.get(name))).length,
			},
			failed: scored.filter(name => !isPassed(findings.get(name))),
			differences: direct ? differ(direct.findings, findings) : [],
			problems,
		};
	};
	const all: Comparison[] = [];
	for (const upstream of ['both eras', 'sessions only', 'no sessions'] as const)
		for (const revision of revisions) all.push(await comparison(upstream, revision));
	return all;
};
