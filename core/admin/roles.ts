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

type Asked = {access: Access; tenantAdmin: boolean; selfService?: boolean};

/**
 * Throws `denied` unless the caller's role allows `access` and, where it is confined to a tenant, what it calls keeps to tenants. Who
 * is no admin may call what is for the holders of keys, and nothing else.
 */
export const requireAccess = ({role, tenant}: Caller, {access, tenantAdmin, selfService}: Asked): void => {
	if (role === 'holder' && selfService) return;
	if (!may[role].includes(access)) throw new GatewayError('denied', `The role ${role} may not do this: it may ${may[role].join(' and ')}.`);
	if (tenant !== undefined && !tenantAdmin) throw new GatewayError('denied', `This is not for an admin of one tenant, as of ${tenant}.`);
};

/** Throws `denied` unless the caller is an owner. */
export const requireOwner = ({role}: Caller): void => {
	if (role !== 'owner') throw new GatewayError('denied', `This is for an owner; the role ${role} may not do it.`);
};
