import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {pino} from 'pino';
import {printProblem} from '../../core/config/problems.ts';
import {ConfigError, type LoadedConfig} from '../../core/config.ts';
import type {StoredRecord} from '../../core/journal/journal.ts';
import {records} from '../../core/journal/read.ts';
import {type Running, serve} from '../../core/main.ts';
import {type LocalUpstream, startLocalUpstream} from '../../examples/local-upstream/server.ts';
import {type GatewayConfigInput, gatewayConfig} from '../../schemas/config.ts';

/** The provider key of every test: it must never be seen outside the request to the provider. */
export const providerKey = 'sk-provider-0123456789abcdef-secret';

export type TestGateway = Running & {
	upstream: LocalUpstream;
	/** The folder that holds its store and journal. */
	folder: string;
	/** Everything it logged, as text. */
	logged(): string;
	/** Everything that stands in its journal by now. */
	journal(): Promise<StoredRecord[]>;
	/** An action, over the admin API. */
	act(plugin: string, action: string, input?: unknown): Promise<Record<string, unknown>>;
	/** A new virtual key's secret. */
	key(input?: Record<string, unknown>): Promise<string>;
};

const loadedFrom = (input: GatewayConfigInput, folder: string): LoadedConfig => ({
	// No lock lies there.
	file: join(folder, 'gateway.config.ts'),
	config: gatewayConfig.parse(input) as LoadedConfig['config'],
	leftOut: [],
	warnings: [],
	complain: complaints =>
		complaints.map(({path, message, mend}) => ({file: 'gateway.config.ts', path: path.map(String).join('.'), message, mend})),
});

/** A real gateway on a free port with a real upstream behind it, a fresh store and journal; closed with the test. */
export const startGateway = async (
	t: Pick<ExecutionContext, 'teardown'>,
	overrides: GatewayConfigInput | ((baseUrl: string) => GatewayConfigInput) = {},
	{folder: kept}: {folder?: string} = {},
): Promise<TestGateway> => {
	const folder = kept ?? (await mkdtemp(join(tmpdir(), 'sallyport-test-')));
	const upstream = await startLocalUpstream();
	const baseUrl = `${upstream.url}/v1`;
	const lines: string[] = [];
	const log = pino({level: 'debug'}, {write: line => void lines.push(line)});
	const {journal, ...others} = typeof overrides === 'function' ? overrides(baseUrl) : overrides;
	const input: GatewayConfigInput = {
		listen: '127.0.0.1:0',
		store: join(folder, 'store.db'),
		journal: {folder: join(folder, 'journal'), ...journal},
		providers: {local: {speaks: 'openai', baseUrl, key: providerKey}, claude: {speaks: 'anthropic', baseUrl, key: providerKey}},
		models: {fast: ['local/echo'], sonnet: ['claude/echo']},
		prices: {
			'local/*': {inputUsdPerMTok: 1, outputUsdPerMTok: 2, maxOutputTokens: 1_000},
			'claude/*': {inputUsdPerMTok: 1, outputUsdPerMTok: 2, maxOutputTokens: 1_000},
		},
		plugins: [{use: 'virtual-keys'}],
		...others,
	};
	const running = await serve(loadedFrom(input, folder), log).catch(async (error: unknown) => {
		await upstream.close();
		throw error instanceof ConfigError ? new Error(error.problems.map(printProblem).join('\n')) : error;
	});
	t.teardown(async () => {
		await running.stop();
		await upstream.close();
		if (!kept) await rm(folder, {recursive: true, force: true});
	});

	const act: TestGateway['act'] = async (plugin, action, body = {}) => {
		const response = await fetch(`${running.url}/admin/plugins/${plugin}/actions/${action}`, {
			method: 'POST',
			headers: {authorization: `Bearer ${running.adminKey}`, 'content-type': 'application/json'},
			body: JSON.stringify(body),
		});
		const answer = (await response.json()) as Record<string, unknown>;
		if (!response.ok) throw Object.assign(new Error(String(answer.detail)), answer);
		return answer;
	};

	return {
		...running,
		upstream,
		folder,
		logged: () => lines.join(''),
		async journal() {
			await running.gateway.journal.flushed();
			const all: StoredRecord[] = [];
			for await (const record of records(join(folder, 'journal'))) all.push(record);
			return all;
		},
		act,
		key: async (input = {}) => String((await act('virtual-keys', 'create', input)).key),
	};
};
