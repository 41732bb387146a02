import {type Caller, mayReach} from '../../plugin-sdk/index.ts';
import {type HookAnswer, hooks} from '../../schemas/hooks.ts';
import type {Principal} from '../../schemas/principal.ts';
import {requireAccess} from '../admin/roles.ts';
import {asGatewayError, GatewayError} from '../errors.ts';
import type {PluginHouse} from '../plugins/house.ts';

type Verdict = HookAnswer<'pre-auth'>;

/** What the holder of a key would be told, and by which plugin. */
export type Identified = {plugin: string; verdict: Verdict};

const unknown = (key: string): GatewayError => new GatewayError('not_found', `There is no key ${key.slice(0, 100)} of any plugin here.`);

/**
 * What pre-auth would say to the holder of the key with this public id: the first plugin that knows it answers. Throws `not_found`
 * where none does, and where the key is of a tenant that the caller may not reach.
 */
export const identifyById = async (house: PluginHouse, key: string, caller: Caller): Promise<Identified> => {
	let complaint: GatewayError | undefined;
	for (const {member} of house.residents) {
		const {name, manifest} = member.plugin;
		const action = manifest.explains?.key;
		if (action === undefined) continue;
		try {
			requireAccess(caller, house.deed(name, action));
			const verdict = hooks['pre-auth'].answer.parse(await house.act(name, action, {id: key}, caller));
			if (verdict.verdict === 'identify' && !mayReach(caller, verdict.principal.tenant)) throw unknown(key);
			return {plugin: name, verdict};
		} catch (thrown) {
			const error = asGatewayError(thrown);
			if (error.code === 'invalid_request') complaint ??= error;
			else if (error.code !== 'not_found') throw error;
		}
	}
	throw complaint ?? unknown(key);
};

/** Throws what a refused key is told. */
export const admitted = ({plugin, verdict}: Identified): Principal => {
	if (verdict.verdict === 'identify') return verdict.principal;
	if (verdict.verdict === 'deny') throw new GatewayError(verdict.code, verdict.message, {plugin, rule: verdict.rule});
	throw new GatewayError('unauthenticated', 'This key is not known here.', {plugin});
};
