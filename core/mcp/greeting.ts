import {GatewayError} from '../errors.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {stamp, statelessHeaders} from './hop.ts';
import {factsOf, type ServerFacts} from './link.ts';
import {RpcError} from './rpc.ts';
import {isLegacy, legacyVersions, metaKeys, ourselves, statelessVersion} from './versions.ts';
import type {Answered} from './wire.ts';

/** The eras that a server was found to speak, shared by all its links; asked again when it may have been replaced. */
export type Eras = {sessions?: Verdict; stateless?: Verdict};
type Verdict = {speaks: boolean; at: number};

/** A server that was upgraded is found out within this time: a stale verdict never fails by itself. */
const eraMs = 600_000;
const probeMs = 5_000;

type Sending = {method: string; params: JsonObject; timeoutMs: number; headers: Record<string, string>};

export type Greeting = {facts: ServerFacts; session?: string | undefined};

type Options = {
	name: string;
	eras: Eras;
	/** The era that is tried first: that of the client, so that nothing has to be translated where the server speaks both. */
	prefers: ServerFacts['era'];
	/** What the client offers to this server. */
	capabilities: JsonObject;
	now: () => number;
	send: (sending: Sending) => Promise<Answered>;
};

/** The result of an answer, or what it says instead. */
export const resultIn = (name: string, {answer, status}: Pick<Answered, 'answer' | 'status'>): JsonObject => {
	if (!answer) throw new GatewayError('upstream_failed', `The MCP server "${name}" answered with status ${status} and no message.`);
	if (answer.error) throw new RpcError(answer.error.code, answer.error.message, {data: answer.error.data, isTheirs: true});
	return answer.result ?? {};
};

const withInfo = ({_meta, serverInfo, ...result}: JsonObject): JsonObject => ({
	...result,
	serverInfo: serverInfo ?? (isObject(_meta) ? _meta[metaKeys.serverInfo] : undefined),
});

/** Who cannot be reached at all, takes no more for now, or says for whom it would answer, is not asked in another era. */
const final = [
	...['upstream_unreachable', 'upstream_rate_limited', 'upstream_refused', 'upstream_too_large'],
	...['client_closed', 'connect_required', 'denied'],
];

const isFinal = (thrown: unknown): boolean => thrown instanceof GatewayError && final.includes(thrown.code);
const isLate = (thrown: unknown): boolean => thrown instanceof GatewayError && thrown.code === 'upstream_timeout';

/** It has said nothing of what it speaks: it cannot answer just now, or what stands before it says so. */
const isAway = ({answer, status}: Answered): boolean => !answer && (status >= 500 || status === 408);

/**
 * Finds out what a server speaks, and says hello. That it does not speak one era is remembered when it has said hello in the other. Rejects
 * with what it said against the last thing that was tried.
 */
export const greet = async ({name, eras, prefers, capabilities, now, send}: Options, timeoutMs: number): Promise<Greeting> => {
	const isKnownNot = (verdict: Verdict | undefined): boolean => verdict !== undefined && !verdict.speaks && now() - verdict.at < eraMs;
	let away: unknown;

	const discover = async (): Promise<Greeting | undefined> => {
		try {
			const params = stamp({});
			const headers = statelessHeaders('server/discover', params);
			const answered = await send({method: 'server/discover', params, timeoutMs: probeMs, headers});
			if (isAway(answered)) resultIn(name, answered);
			const {supportedVersions, ...result} = answered.answer?.result ?? {};
			if (!Array.isArray(supportedVersions) || !supportedVersions.includes(statelessVersion)) return undefined;
			const facts = factsOf(name, {era: 'stateless', version: statelessVersion}, withInfo(result));
			eras.stateless = {speaks: true, at: now()};
			return {facts};
		} catch (thrown) {
			if (isFinal(thrown)) throw thrown;
			away = thrown;
			return undefined;
		}
	};

	const initialize = async (): Promise<Greeting> => {
		const params = {protocolVersion: legacyVersions[0], capabilities, clientInfo: ourselves};
		const answered = await send({method: 'initialize', params, timeoutMs, headers: {}});
		const result = resultIn(name, answered);
		if (!isLegacy(result.protocolVersion))
			throw new GatewayError('upstream_malformed', `The MCP server "${name}" speaks a version that is not known here.`);
		return {facts: factsOf(name, {era: 'legacy', version: result.protocolVersion}, result), session: answered.sessionId};
	};

	const needsSessions = isKnownNot(eras.stateless);
	const isStatelessFirst = prefers === 'stateless' || isKnownNot(eras.sessions);
	if (isStatelessFirst && !needsSessions) {
		const found = await discover();
		if (found) return found;
		try {
			const greeting = await initialize();
			eras.stateless = {speaks: false, at: now()};
			return greeting;
		} catch (thrown) {
			// That it knows nothing of sessions is no news where it could not say what else it knows.
			throw away !== undefined && thrown instanceof RpcError ? away : thrown;
		}
	}
	let greeting: Greeting;
	try {
		greeting = await initialize();
	} catch (thrown) {
		// What was known of it may be so no more; only of who is silent nothing new is known.
		if (isFinal(thrown) || (needsSessions && isLate(thrown))) throw thrown;
		const found = await discover();
		if (!found) throw thrown;
		eras.sessions = {speaks: false, at: now()};
		return found;
	}
	if (isStatelessFirst) return greeting;
	// Without a session it could neither ask nor tell anything: better without one in the era that has none.
	const speaks = greeting.session !== undefined;
	eras.sessions = {speaks, at: now()};
	return speaks || needsSessions ? greeting : ((await discover()) ?? greeting);
};
