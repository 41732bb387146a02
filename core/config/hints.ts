import type {Path} from './problems.ts';

/** How a value is rightly written, by its place; `*` stands for any name or number. */
const hints: Readonly<Record<string, string>> = {
	'': 'Write export default defineConfig({…}).',
	listen: "Write host:port, like '127.0.0.1:8787'.",
	store: "Write the path of a SQLite file, like 'data/gateway.db', or env('DATABASE_URL') for a PostgreSQL database.",
	journal: "Write journal: {folder: 'data/journal'}, or leave it out.",
	'journal.folder': "Write the path of a folder, like 'data/journal'.",
	anonymous: 'Write anonymous: true, or leave it out.',
	limits: 'Write limits: {bodyMb: 32}, or leave it out.',
	providers: "Write providers: {name: {speaks: 'openai', key: env('NAME')}}.",
	'providers.*': "Write name: {speaks: 'openai', key: env('NAME')}.",
	'providers.*.speaks': "Write speaks: 'openai' or speaks: 'anthropic', whichever API it answers to.",
	'providers.*.baseUrl': "Write an http or https URL, like 'https://api.example.com/v1'.",
	'providers.*.key': "Write key: env('NAME').",
	'providers.*.key.env': "env() takes the name of a variable (letters, digits, '_'), not its value.",
	models: "Write models: {name: ['provider/model']}.",
	'models.*': "Write a list of deployments, best first: ['provider/model'].",
	'models.*.*': "Write 'provider/model'.",
	'toolPrices.*': 'Write {usdPerCall: 0.01} or {usdPerCall: 0.01, usdPerMB: 1, mostMB: 0.5}: US dollars.',
	'prices.*': 'Write {inputUsdPerMTok: 1, outputUsdPerMTok: 4}: US dollars per million tokens.',
	plugins: "Write a list: plugins: [{use: 'virtual-keys'}].",
	'plugins.*': "Write {use: 'name'}.",
	'plugins.*.use': "Write use: 'name' for a shipped plugin, or use: './folder' for one of your own.",
	'plugins.*.as': 'Write lower-case letters, digits and dashes, beginning with a letter.',
	'plugins.*.config': "Write config: {…}, as the plugin's README says.",
	'plugins.*.trust': "Write 'sha256:' and the 64 hexadecimal digits of the plugin's digest.",
	'plugins.*.grants': "Write grants: {http: ['dlp.acme.example']}.",
	'plugins.*.grants.models': "Write a list of models: ['local/guard'].",
	'plugins.*.grants.http': "Write a list of hosts: ['dlp.acme.example'].",
	'plugins.*.grants.http.*': "Write a host: 'dlp.acme.example', 'dlp.acme.example:8443' or '*.acme.example'.",
	'plugins.*.grants.secrets': "Write secrets: {name: env('NAME')}.",
	'plugins.*.grants.secrets.*': "Write name: env('NAME').",
	'plugins.*.grants.secrets.*.env': "env() takes the name of a variable (letters, digits, '_'), not its value.",
	'plugins.*.grants.*': 'Write true, or leave it out.',
	'plugins.*.when': "Write when: {team: 'search'}, or leave it out.",
	'plugins.*.when.*': 'Write a name or a list of names.',
	'plugins.*.when.*.*': 'Write a name.',
};

const patterns = Object.entries(hints).map(([pattern, hint]) => ({steps: pattern === '' ? [] : pattern.split('.'), hint}));

/** How the value at `path` is rightly written, where there is more to say than its type. */
export const hintFor = (path: Path): string | undefined =>
	patterns.find(({steps}) => steps.length === path.length && steps.every((step, index) => step === '*' || step === path[index]))?.hint;

/** Must the value at `path` never be shown? What an operator put in place of a secret may be one, and a plugin's config is the plugin's. */
export const isSecret = (path: Path): boolean =>
	path[0] === 'store' ||
	path[0] === 'sealingKey' ||
	(path[0] === 'servers' && ['bearer', 'basic', 'oauth', 'headers', 'stdio'].includes(String(path[2]))) ||
	(path[0] === 'providers' && (path[2] === 'key' || path[2] === 'baseUrl')) ||
	(path[0] === 'plugins' && (path[2] === 'config' || (path[2] === 'grants' && path[3] === 'secrets')));
