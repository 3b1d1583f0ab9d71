/**
 * The names by which netfold recognises its own objects in the kernel. Its root qdisc and classes have the major number
 * `OWN_MAJOR`.
 */

/** Of BPF filters. */
export const FILTER_NAME = 'netfold';
/** Of the filter for which netfold has added the clsact. A clsact has no name or handle of its own that could say so. */
export const OWN_CLSACT_FILTER_NAME = `${FILTER_NAME}+clsact`;
/** Of the nftables table, in the family inet. */
export const TABLE_NAME = 'netfold';
