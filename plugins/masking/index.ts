import {allow, definePlugin, deny, type Finding, type Host, rewrite} from '../../plugin-sdk/index.ts';
import type {HookInput} from '../../schemas/hooks.ts';
import {findingOf, told} from './findings.ts';
import {inJson} from './json.ts';
import {type Memory, readMemory, writeMemory} from './memory.ts';
import {pass} from './pieces.ts';
import {pseudonymOf, seedOf} from './pseudonyms.ts';
import {config, type Settings} from './settings.ts';
import {keepLast, type Value, valuesIn} from './values.ts';
import {createVault, maskParts, placeholderFor, pseudonymFor, restoreText} from './vault.ts';

type Channels = readonly Finding['channel'][] | undefined;

type Changed = {patch: Record<string, string>; findings: Finding[]};

const count = (patch: Record<string, string>): number => Object.keys(patch).length;

const refuse = (what: string, findings: readonly Finding[]) =>
	deny({code: 'content_blocked', message: `The ${what} holds personal data that must not pass.`, ...told(findings)});

const plainly = (text: string, values: readonly Value[], write: (value: Value) => string): string => {
	let out = '';
	let at = 0;
	for (const value of values) {
		out += text.slice(at, value.start) + write(value);
		at = value.end;
	}
	return out + text.slice(at);
};

/** New texts by their index, for those that changed, and what was found in them. */
const changes = (
	texts: readonly string[],
	channels: Channels,
	settings: Settings,
	change: (text: string, values: readonly Value[]) => string,
): Changed => {
	const patch: Record<string, string> = {};
	const findings: Finding[] = [];
	for (const [index, text] of texts.entries()) {
		const values = valuesIn(text, settings, texts[index - 1]);
		findings.push(...values.map(value => findingOf(value, channels?.[index] ?? 'user', index)));
		const changed = change(text, values);
		if (changed !== text) patch[index] = changed;
	}
	return {patch, findings};
};

const named = (type: string): string => `[${type}]`;

/** What is written for a value whatever becomes of the others: nothing else for what the provider made up at our word. */
const written = ({value, mode, type}: Value, usual: (type: string) => string): string => (mode === 'mask' ? keepLast(value) : usual(type));

/** What the provider gets: placeholders and pseudonyms that the vault knows, or only the kinds. */
const forProvider = (text: string, values: readonly Value[], {vault, seed}: Memory, back: boolean): string => {
	const write = (each: Value): string => {
		const {type, value, mode, reversible} = each;
		const keeps = back && reversible;
		if (mode === 'pseudonym' && seed !== undefined) {
			const made = pseudonymFor(vault, seed, type, value, keeps);
			if (made !== undefined) return made;
		}
		return written(each, () => (keeps ? placeholderFor(vault, type, value) : named(type)));
	};
	return inJson(text, back ? maskParts(text, values, vault, write) : plainly(text, values, write));
};

/** What the client gets: its own values, and of others their kinds or pseudonyms. */
const forClient = (text: string, values: readonly Value[], {vault, seed}: Memory): string => {
	const write = (each: Value): string => {
		const {type, value, mode} = each;
		if (vault.made.has(value)) return value;
		const made = mode === 'pseudonym' && seed !== undefined ? pseudonymOf(seed, type, value) : undefined;
		return made ?? written(each, named);
	};
	return restoreText(inJson(text, plainly(text, values, write)), vault);
};

type Asking = Pick<Host<Settings>, 'kv' | 'random'>;

const secretKey = 'pseudonyms';

/** The gateway's own secret that pseudonyms are drawn from: made when it is first needed, kept in the plugin's kv, and nowhere else. */
const ownSecret = async ({kv, random}: Asking): Promise<string> => {
	const {error} = await kv.put({[secretKey]: random.secret('').value});
	if (error !== undefined) throw new Error(`The secret for pseudonyms could not be kept: ${error.message}`);
	return String(kv.get(secretKey));
};

type Asked = Pick<HookInput<'pre-request'>, 'text' | 'channels' | 'principal' | 'session'>;

const request = ({text, channels}: Asked, settings: Settings, seed: string | undefined) => {
	const memory: Memory = {vault: createVault([], settings.placeholdersIn), channels: {}, seed};
	const keeps = settings.reversible || seed !== undefined;
	const {patch, findings} = changes(text, channels, settings, (part, values) => forProvider(part, values, memory, settings.reversible));
	if (findings.some(({action}) => action === 'deny')) return refuse('request', findings);
	const carry = keeps ? {carry: writeMemory(memory)} : {};
	if (count(patch) === 0) return seed === undefined ? undefined : allow(carry);
	return rewrite({text: patch}, {annotate: {maskedTexts: count(patch)}, ...told(findings), ...carry});
};

export default definePlugin({
	config,

	hooks: {
		/** Replaces what it finds before the provider sees it, or refuses the request. */
		'pre-request'(asked, host) {
			const settings = host.config;
			if (!settings.request) return undefined;
			if (!settings.pseudonyms) return request(asked, settings, undefined);
			const {principal, session = ''} = asked;
			const owner = principal.tenant === undefined ? `of nobody but ${principal.id}` : `tenant ${principal.tenant}`;
			const drawn = (secret: string) => request(asked, settings, seedOf(secret, owner, session));
			const secret = host.kv.get(secretKey);
			return typeof secret === 'string' ? drawn(secret) : ownSecret(host).then(drawn);
		},

		/** Does the same for the reply, piece by piece where it streams, and gives the client its own values back. */
		'post-response'({text, channels, window, carried}, {config: settings}) {
			if (!settings.response && carried === undefined) return window && allow({clear: window.text.length});
			const memory = readMemory(carried, settings.placeholdersIn);
			if (!window) {
				const only = settings.response ? settings : {...settings, types: [], ids: new Set<string>(), custom: []};
				const {patch, findings} = changes(text, channels, only, (part, values) => forClient(part, values, memory));
				if (findings.some(({action}) => action === 'deny')) return refuse('reply', findings);
				return count(patch) === 0 ? undefined : rewrite({text: patch}, told(findings));
			}
			const channel = channels?.[0] ?? 'assistant';
			const {clear, out, met} = pass(window, settings, memory);
			const findings = met.map(each => findingOf(each, channel));
			if (findings.some(({action}) => action === 'deny')) return refuse('reply', findings);
			const effects = {clear, carry: writeMemory(memory), ...told(findings)};
			return out === window.text.slice(0, clear) ? allow(effects) : rewrite({window: out}, effects);
		},
	},
});
