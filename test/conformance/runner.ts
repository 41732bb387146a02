import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';

const require = createRequire(import.meta.url);
const home = dirname(require.resolve('@modelcontextprotocol/conformance/package.json'));

export const revisions = ['2025-11-25', '2026-07-28'] as const;
export type Revision = (typeof revisions)[number];

/** What the runner found: by scenario, by the id of a check, its statuses in order. */
export type Findings = Map<string, Map<string, string>>;

/** What went wrong in a scenario, in the runner's words. */
export type Problem = {scenario: string; message: string};

type Check = {id: string; status: string; errorMessage?: string};

/** The scenarios that a revision requires of a server; the others are run and not counted. */
export const scoredBy = async (revision: Revision): Promise<Set<string>> => {
	const text = await readFile(join(home, 'requirements', `${revision}.yaml`), 'utf8');
	const [, list = ''] = /^server:\n((?: +- .+\n)+)/m.exec(text) ?? [];
	return new Set([...list.matchAll(/^ +- (\S+)$/gm)].map(([, scenario]) => scenario!));
};

/** What a scenario notes for a reader and does not judge. */
const notes = new Set(['incoming-sse-event', 'outgoing-request', 'incoming-response', 'stream-closed']);

const findingsOf = (checks: Check[]): Map<string, string> => {
	const found = new Map<string, string>();
	for (const {id, status} of checks) {
		if (notes.has(id)) continue;
		const before = found.get(id);
		found.set(id, before === undefined ? status : `${before} ${status}`);
	}
	return found;
};

/** Runs the official runner against `url`, with what a revision requires. Its exit code says nothing of what was skipped, so it is not looked at. */
export const run = async (url: string, revision: Revision): Promise<{findings: Findings; problems: Problem[]}> => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-conformance-'));
	try {
		const args = [join(home, 'dist', 'index.js'), 'server', '--url', url, '--requirements', revision, '-o', folder];
		const child = spawn(process.execPath, args, {stdio: 'ignore'});
		await once(child, 'exit');
		const findings: Findings = new Map();
		const problems: Problem[] = [];
		for (const entry of (await readdir(folder)).sort()) {
			const scenario = entry.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '');
			const checks = JSON.parse(await readFile(join(folder, entry, 'checks.json'), 'utf8')) as Check[];
			findings.set(scenario, findingsOf(checks));
			for (const {id, status, errorMessage} of checks)
				if (status === 'FAILURE' || status === 'WARNING') problems.push({scenario, message: `${id}: ${errorMessage ?? status}`});
		}
		return {findings, problems};
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
};
