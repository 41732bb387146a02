import {definePlugin, deny, type Host} from '../../plugin-sdk/index.ts';
import {openOpinions} from '../opinions/ask.ts';
import {moderationShape} from '../opinions/moderation.ts';
import {type Channel, piecesOf} from '../opinions/pieces.ts';
import {verdictOn} from '../opinions/rules.ts';
import type {Shape} from '../opinions/shapes.ts';
import {llamaGuardShape} from './llama-guard.ts';
import {promptShape} from './prompt.ts';
import {promptGuardShape} from './prompt-guard.ts';
import {type Config, config} from './settings.ts';

type Found = {category: string; score: number; channel: Channel; hook: string};
type Looked = {text: readonly string[]; channels: readonly Channel[]; tenant: string | undefined};

const opinionsOn = openOpinions();

const shapeOf = ({config: settings, random}: Host<Config>): Shape => {
	switch (settings.shape) {
		case 'prompt':
			return promptShape(settings, {random});
		case 'llama-guard':
			return llamaGuardShape(settings.params);
		case 'prompt-guard':
			return promptGuardShape(settings.category, settings.params);
		case 'moderation':
			return moderationShape;
	}
};

/** What guards before have found of the band's category, at this hook, in texts that are judged. */
const foundAt = (hook: string, category: string, {channels}: Config, findings: readonly Found[] = []): readonly Found[] =>
	findings.filter(found => found.hook === hook && found.category === category && channels.includes(found.channel));

/** A guard before is as sure as nobody needs to be asked. */
const refused = ({category, score, channel}: Found) =>
	deny({
		code: 'content_blocked',
		message: 'This was found to be of a kind that is refused here.',
		rule: category,
		findings: [{detector: 'judge', category, severity: 'high', score, channel, action: 'deny'}],
	});

const judged = async ({text, channels, tenant}: Looked, asked: (channel: Channel) => boolean, host: Host<Config>) => {
	const {rules, onUncertain, chars} = host.config;
	const wanted = (index: number): Channel | undefined => {
		const channel = channels[index] ?? 'user';
		return asked(channel) ? channel : undefined;
	};
	const pieces = piecesOf(text, wanted, chars);
	if (pieces.length === 0) return undefined;
	const heard = await opinionsOn(pieces, shapeOf(host), tenant, host.config, host);
	return verdictOn(heard, 'judge', {rulesFor: () => rules, onUncertain});
};

/** Findings have no place here: where a guard is unsure of one text of a channel, all of them are asked about. */
const verdictAt = (hook: string, looked: Looked, findings: readonly Found[] | undefined, host: Host<Config>) => {
	const {band, above, channels} = host.config;
	if (band === 'always') return judged(looked, channel => channels.includes(channel), host);
	const found = foundAt(hook, band.category, host.config, findings);
	const sure = found.find(({score}) => score > band.to);
	if (sure && above === 'deny') return refused(sure);
	const unsure = new Set(found.filter(({score}) => score >= band.from && score <= band.to).map(({channel}) => channel));
	return unsure.size > 0 ? judged(looked, channel => unsure.has(channel), host) : undefined;
};

export default definePlugin({
	config,

	hooks: {
		/** Has another model judge what a guard before is unsure of, and does what the rules say about its verdict. */
		'pre-request': ({text, channels, findings, principal}, host) =>
			host.config.in.includes('request') ? verdictAt('pre-request', {text, channels, tenant: principal.tenant}, findings, host) : undefined,

		/** The same for what a model or a tool answers; of an answer that streams, at its end. */
		'post-response': ({text, channels, findings, principal, outcome}, host) =>
			host.config.in.includes('response') && outcome === 'ok'
				? verdictAt('post-response', {text, channels, tenant: principal?.tenant}, findings, host)
				: undefined,
	},
});
