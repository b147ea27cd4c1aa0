/** Roles that allow everything groups allow. */
export const allRoles = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"] as const;
