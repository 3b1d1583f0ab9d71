/** How netfold's objects in the kernel are told from those of others; the root qdisc and its classes by `OWN_MAJOR`. */

/** Of BPF filters. */
export const FILTER_NAME = 'netfold';
/**
 * Of a filter for which netfold has made the clsact: clsact has no name or handle of its own to tell by whom it was made.
 */
export const OWN_CLSACT_FILTER_NAME = `${FILTER_NAME}+clsact`;
/** Of the nftables table, in the family inet. */
export const TABLE_NAME = 'netfold';
