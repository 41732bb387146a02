import {type Caller, refuse} from './define-plugin.ts';

/** The tenant of a scope or an account: acme of `tenant:acme`, `team:acme/search` and `user:acme/ada`; undefined for every other. */
export const tenantOf = (name: string): string | undefined => {
	const [, tenant, holder] = /^(?:tenant:([^/]+)|(?:team|user):([^/]+)\/.+)$/.exec(name) ?? [];
	return tenant ?? holder;
};

/** Whether the caller may know of what belongs to `tenant`; undefined stands for what belongs to no tenant, or to all. */
export const mayReach = ({tenant: own}: Caller, tenant: string | undefined): boolean => own === undefined || own === tenant;

/** Throws `denied` unless the caller may reach `tenant`, which it named itself. What it guessed by an id is better said not to exist. */
export const within = (caller: Caller, tenant: string | undefined): void => {
	if (!mayReach(caller, tenant)) throw refuse('denied', `This admin is for the tenant ${caller.tenant} alone.`);
};
