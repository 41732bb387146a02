import {action} from '../../plugin-sdk/index.ts';
import * as holders from './holders.ts';
import {teams, tenants, users} from './inputs.ts';

const pages = '`next`, where there is one, is the `after` of the next page.';

/** A tenant is an owner's matter; whoever is confined to one may look at it. */
export const ofTenants = {
	'tenants.create': action({
		description: 'Makes a tenant known, or makes one again that was deleted: the keys of the one before stay ended.',
		input: tenants.creating,
		run: ({tenant, ...described}, host, caller) => holders.create([{tenant}], described, host, caller),
	}),
	'tenants.get': action({
		description: 'One tenant.',
		access: 'read',
		tenantAdmin: true,
		input: tenants.one,
		run: (named, host, caller) => holders.get([named], host, caller),
	}),
	'tenants.list': action({
		description: `Tenants that somebody made; ${pages}`,
		access: 'read',
		tenantAdmin: true,
		input: tenants.listing,
		run: (page, host, caller) => holders.list('tenant', page, host, caller),
	}),
	'tenants.block': action({
		description: 'Refuses every key of a tenant until it is unblocked.',
		input: tenants.one,
		run: (named, host, caller) => holders.block([named], host, caller),
	}),
	'tenants.unblock': action({
		description: 'Lets the keys of a blocked tenant in again.',
		input: tenants.one,
		run: (named, host, caller) => holders.unblock([named], host, caller),
	}),
	'tenants.expire': action({
		description: 'Sets when a tenant ends; null takes the end away.',
		input: tenants.expiring,
		run: ({tenant, at}, host, caller) => holders.expire([{tenant}], at, host, caller),
	}),
	'tenants.delete': action({
		description: 'Ends a tenant, its teams, its users and every key under it, for good.',
		input: tenants.one,
		run: (named, host, caller) => holders.remove([named], host, caller),
	}),
};

export const ofTeams = {
	'teams.create': action({
		description: 'Makes a team of a tenant known, or makes one again that was deleted: the keys of the one before stay ended.',
		tenantAdmin: true,
		input: teams.creating,
		run: ({tenant, team, ...described}, host, caller) => holders.create([{tenant, team}], described, host, caller),
	}),
	'teams.get': action({
		description: 'One team.',
		access: 'read',
		tenantAdmin: true,
		input: teams.one,
		run: (named, host, caller) => holders.get([named], host, caller),
	}),
	'teams.list': action({
		description: `The teams of a tenant that somebody made; ${pages}`,
		access: 'read',
		tenantAdmin: true,
		input: teams.listing,
		run: (page, host, caller) => holders.list('team', page, host, caller),
	}),
	'teams.block': action({
		description: 'Refuses every key of a team until it is unblocked.',
		tenantAdmin: true,
		input: teams.one,
		run: (named, host, caller) => holders.block([named], host, caller),
	}),
	'teams.unblock': action({
		description: 'Lets the keys of a blocked team in again.',
		tenantAdmin: true,
		input: teams.one,
		run: (named, host, caller) => holders.unblock([named], host, caller),
	}),
	'teams.expire': action({
		description: 'Sets when a team ends; null takes the end away.',
		tenantAdmin: true,
		input: teams.expiring,
		run: ({tenant, team, at}, host, caller) => holders.expire([{tenant, team}], at, host, caller),
	}),
	'teams.delete': action({
		description: 'Ends a team and every key under it, for good.',
		tenantAdmin: true,
		input: teams.one,
		run: (named, host, caller) => holders.remove([named], host, caller),
	}),
};

const some = (tenant: string | undefined): string[] | undefined => (tenant === undefined ? undefined : [tenant]);

export const ofUsers = {
	'users.create': action({
		description: 'Makes a user known in one or several tenants.',
		tenantAdmin: true,
		input: users.creating,
		run({tenant, tenants: several, user, ...described}, host, caller) {
			const all = several ?? [tenant ?? caller.tenant ?? 'default'];
			return holders.create(holders.membershipsOf(host.kv, user, all, caller), described, host, caller);
		},
	}),
	'users.get': action({
		description: 'One user: as a member of one tenant, or of all of them.',
		access: 'read',
		tenantAdmin: true,
		input: users.one,
		run: ({tenant, user}, host, caller) => holders.get(holders.membershipsOf(host.kv, user, some(tenant), caller), host, caller),
	}),
	'users.list': action({
		description: `The users of a tenant that somebody made; ${pages}`,
		access: 'read',
		tenantAdmin: true,
		input: users.listing,
		run: (page, host, caller) => holders.list('user', page, host, caller),
	}),
	'users.block': action({
		description: 'Refuses every key of a user until it is unblocked, in one tenant or in all it is of.',
		tenantAdmin: true,
		input: users.one,
		run: ({tenant, user}, host, caller) => holders.block(holders.membershipsOf(host.kv, user, some(tenant), caller), host, caller),
	}),
	'users.unblock': action({
		description: 'Lets the keys of a blocked user in again.',
		tenantAdmin: true,
		input: users.one,
		run: ({tenant, user}, host, caller) => holders.unblock(holders.membershipsOf(host.kv, user, some(tenant), caller), host, caller),
	}),
	'users.expire': action({
		description: 'Sets when a user ends; null takes the end away.',
		tenantAdmin: true,
		input: users.expiring,
		run: ({tenant, user, at}, host, caller) => holders.expire(holders.membershipsOf(host.kv, user, some(tenant), caller), at, host, caller),
	}),
	'users.delete': action({
		description: 'Ends a user and every key under it, for good, in one tenant or in all it is of.',
		tenantAdmin: true,
		input: users.one,
		run: ({tenant, user}, host, caller) => holders.remove(holders.membershipsOf(host.kv, user, some(tenant), caller), host, caller),
	}),
};
