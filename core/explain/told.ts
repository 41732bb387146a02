import type {Caller} from '../../plugin-sdk/index.ts';
import {requireAccess} from '../admin/roles.ts';
import {asGatewayError, type ErrorCode, type GatewayError} from '../errors.ts';
import type {Member} from '../hooks.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {reasonOf} from '../verdicts.ts';
import type {Foreseen} from './foresee.ts';
import type {Asked, Rehearsal} from './rehearsal.ts';

/** What one plugin said, or why it said nothing. */
export type Told = Foreseen & {
	plugin: string;
	hook: string;
	/** A verdict's name, or `failed`, `out of scope`, `not asked`. */
	verdict: string;
	code?: ErrorCode;
	rule?: string;
	message?: string;
	/** It is told and not carried out. */
	mode?: 'observe';
	plan?: string[];
	/** What of the request it would change. */
	rewrites?: string[];
	/** Since when it is kept out after repeated failures; then it would not be asked, and what `onFailure` says counts. */
	quarantined?: string;
	/** In the plugin's own words, what decides. */
	details?: unknown;
};

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const saidIn = ({kind, body}: NonNullable<Asked['answer']>): Partial<Told> => {
	if (kind === 'F') return {verdict: 'failed', message: reasonOf(body)};
	const {verdict, code, rule, message, plan, patch, approval} = JSON.parse(body) as JsonObject;
	const reason = isObject(approval) ? approval.reason : undefined;
	const said = {verdict: text(verdict), code: text(code) as ErrorCode, rule: text(rule), message: text(message ?? reason)};
	return {
		...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)),
		...(Array.isArray(plan) && {plan}),
		...(isObject(patch) && {rewrites: Object.keys(patch)}),
	};
};

/** Of a plugin that was asked, what it said in the end. */
const spoken = (member: Member, asked: Asked, {foreseen}: Rehearsal, refused: GatewayError | undefined): Told => {
	const {name} = member.plugin;
	const told: Told = {plugin: name, hook: asked.hook, verdict: 'allow', ...(asked.answer && saidIn(asked.answer)), ...foreseen.get(name)};
	if (member.mode === 'observe') return {...told, mode: 'observe'};
	// It let pass as long as there was room.
	if (refused?.plugin !== name || told.verdict === 'deny' || told.verdict === 'failed') return told;
	const {code, rule, message} = refused;
	return {...told, verdict: 'deny', code, message, ...(rule !== undefined && {rule})};
};

/** How pre-request ended before its last plugin was asked: in a refusal, or in an answer of a plugin's own. */
export type End = {refused?: GatewayError; answered: boolean};

/** What everybody who listens to pre-request said, in their order. */
export const toldBy = (rehearsal: Rehearsal, {refused, answered}: End): Told[] => {
	const {asked, hooks} = rehearsal;
	const listeners = hooks.members.filter(({plugin}) => plugin.manifest.hooks['pre-request']);
	const lastOf = (name: string) => asked.findLast(it => it.plugin === name && it.hook === 'pre-request');
	const end = listeners.findLastIndex(({plugin}) => lastOf(plugin.name) !== undefined);
	return listeners.map((member, index): Told => {
		const {name} = member.plugin;
		const last = lastOf(name);
		if (last) return spoken(member, last, rehearsal, refused);
		// Nobody asks those behind an end, in scope or not.
		return {plugin: name, hook: 'pre-request', verdict: index > end && (refused || answered) ? 'not asked' : 'out of scope'};
	});
};

/** What a plugin that explains itself says of the request as it has seen it; undefined for one that does not, or not to this caller. */
export const detailsOf = async ({house, asked}: Rehearsal, name: string, request: JsonObject, caller: Caller): Promise<unknown> => {
	const action = house.residents.find(({member}) => member.plugin.name === name)?.member.plugin.manifest.explains?.request;
	const last = asked.findLast(it => it.plugin === name && it.hook === 'pre-request');
	if (action === undefined || !last) return undefined;
	const deployments = last.seen('deployments');
	const estimate = request.estimate as JsonObject;
	const input = {
		...request,
		model: last.seen('model') ?? request.model,
		deployments: typeof deployments === 'string' ? JSON.parse(deployments) : request.deployments,
		estimate: {
			...estimate,
			inputTokens: last.seen('estimate.inputTokens') ?? estimate.inputTokens,
			maxOutputTokens: last.seen('estimate.maxOutputTokens') ?? estimate.maxOutputTokens,
		},
	};
	try {
		requireAccess(caller, house.deed(name, action));
		return await house.act(name, action, input, caller);
	} catch (thrown) {
		// What it decided stands beside this; only its own words are missing.
		return {unexplained: asGatewayError(thrown).message};
	}
};
