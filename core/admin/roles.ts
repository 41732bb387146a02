import type {Access, Caller, Role} from '../../plugin-sdk/index.ts';
import {GatewayError} from '../errors.ts';

/** The gateway itself, before anybody else is there. */
export const firstStart: Caller = {actor: 'first start', role: 'owner'};

const may: Record<Role, readonly Access[]> = {
	owner: ['read', 'write', 'approve'],
	admin: ['read', 'write', 'approve'],
	auditor: ['read'],
	approver: ['read', 'approve'],
	holder: [],
};

/** Throws `denied` unless the caller's role allows `access` and, where it is confined to a tenant, what it calls keeps to tenants. */
export const requireAccess = ({role, tenant}: Caller, {access, tenantAdmin}: {access: Access; tenantAdmin: boolean}): void => {
	if (!may[role].includes(access)) throw new GatewayError('denied', `The role ${role} may not do this: it may ${may[role].join(' and ')}.`);
	if (tenant !== undefined && !tenantAdmin) throw new GatewayError('denied', `This is not for an admin of one tenant, as of ${tenant}.`);
};

/** Throws `denied` unless the caller is an owner. */
export const requireOwner = ({role}: Caller): void => {
	if (role !== 'owner') throw new GatewayError('denied', `This is for an owner; the role ${role} may not do it.`);
};
