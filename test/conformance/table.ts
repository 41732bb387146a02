import type {Comparison} from './compare.ts';

const of = (count: number | undefined, all: number): string => (count === undefined ? '–' : `${count} of ${all}`);

/** The comparisons as a table in Markdown, and beneath it what is not the same, or did not pass. */
export const tableOf = (comparisons: readonly Comparison[]): string => {
	const rows = comparisons.map(
		({upstream, revision, passed, scenarios, checks, differences}) =>
			`| ${upstream} | ${revision} | ${of(passed.direct, passed.of)} | ${of(passed.through, passed.of)} | ${scenarios} | ${checks} | ${passed.direct === undefined ? '–' : differences.length} |`,
	);
	const notes = comparisons.flatMap(({upstream, revision, failed, differences}) => [
		...differences.map(
			({scenario, check, direct, through}) =>
				`- ${upstream}, ${revision}: \`${scenario}\`, \`${check}\`: ${direct} at the upstream, ${through} through the gateway.`,
		),
		...failed.flatMap(({scenario, why}) => why.map(message => `- ${upstream}, ${revision}: \`${scenario}\` did not pass. ${message}`)),
	]);
	return [
		'| upstream | clients | scored scenarios, upstream itself | through the gateway | scenarios run | checks | checks that differ |',
		'|---|---|---|---|---|---|---|',
		...rows,
		...(notes.length > 0 ? ['', ...notes] : []),
	].join('\n');
};
