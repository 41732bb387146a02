import type {Context} from 'koa';
import type {Access, Caller} from '../../plugin-sdk/index.ts';
import type {Gateway} from '../gateway.ts';
import {requireAccess} from './roles.ts';

/** Who holds the admin key of this request; the exchange's record says so too. Throws `unauthenticated`, `key_expired` or `key_blocked`. */
export const callerOf = ({admins}: Gateway, {req, state}: Context): Caller => {
	const caller = admins.identify(/^Bearer (\S+)$/i.exec(req.headers.authorization ?? '')?.[1]);
	state.exchange.annotations.admin = caller.actor;
	return caller;
};

/** Who asks for something of the core's own that needs `access`; `tenantAdmin` where whoever is confined to a tenant may ask as well. */
export const callerWith = (gateway: Gateway, ctx: Context, access: Access, {tenantAdmin = false} = {}): Caller => {
	const caller = callerOf(gateway, ctx);
	requireAccess(caller, {access, tenantAdmin});
	return caller;
};
