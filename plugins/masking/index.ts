import {allow, definePlugin, deny, type Finding, rewrite} from '../../plugin-sdk/index.ts';
import {findingOf, told} from './findings.ts';
import {readMemory, writeMemory} from './memory.ts';
import {pass} from './pieces.ts';
import {config, type Settings} from './settings.ts';
import {fitting, keepLast, type Value, valuesIn} from './values.ts';
import {createVault, maskParts, placeholderFor, restoreText, type Vault} from './vault.ts';

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
		const values = valuesIn(text, settings);
		findings.push(...values.map(value => findingOf(value, channels?.[index] ?? 'user', index)));
		const changed = change(text, values);
		if (changed !== text) patch[index] = changed;
	}
	return {patch, findings};
};

const writes =
	(text: string, usual: (value: Value) => string) =>
	(value: Value): string =>
		fitting(text, value, value.mode === 'mask' ? keepLast(value.value) : usual(value));

const named = ({type}: Value): string => `[${type}]`;

/** What the provider gets: placeholders that the vault knows, or only the kinds. */
const forProvider = (text: string, values: readonly Value[], vault: Vault | undefined): string => {
	if (vault === undefined) return plainly(text, values, writes(text, named));
	const kept = (value: Value) => (value.reversible ? placeholderFor(vault, value.type, value.value) : named(value));
	return maskParts(text, values, vault, writes(text, kept));
};

export default definePlugin({
	config,

	hooks: {
		/** Replaces what it finds before the provider sees it, or refuses the request. */
		'pre-request'({text, channels}, {config: settings}) {
			if (!settings.request) return undefined;
			const vault = settings.reversible ? createVault() : undefined;
			const {patch, findings} = changes(text, channels, settings, (part, values) => forProvider(part, values, vault));
			if (findings.some(({action}) => action === 'deny')) return refuse('request', findings);
			if (count(patch) === 0) return undefined;
			const effects = {annotate: {maskedTexts: count(patch)}, ...told(findings)};
			return rewrite({text: patch}, vault === undefined ? effects : {...effects, carry: writeMemory({vault, channels: {}})});
		},

		/** Does the same for the reply, piece by piece where it streams, and gives the client its own values back. */
		'post-response'({text, channels, window, carried}, {config: settings}) {
			if (!settings.response && carried === undefined) return window && allow({clear: window.text.length});
			const memory = readMemory(carried);
			if (!window) {
				const only = settings.response ? settings : {...settings, types: [], ids: new Set<string>()};
				const {patch, findings} = changes(text, channels, only, (part, values) =>
					restoreText(plainly(part, values, writes(part, named)), memory.vault),
				);
				if (findings.some(({action}) => action === 'deny')) return refuse('reply', findings);
				return count(patch) === 0 ? undefined : rewrite({text: patch}, told(findings));
			}
			const {clear, out, met} = pass(window, settings, memory);
			const findings = met.map(each => findingOf(each, channels?.[0] ?? 'assistant'));
			if (findings.some(({action}) => action === 'deny')) return refuse('reply', findings);
			const effects = {clear, carry: writeMemory(memory), ...told(findings)};
			return out === window.text.slice(0, clear) ? allow(effects) : rewrite({window: out}, effects);
		},
	},
});
