// The version every socket and event carries. Raised when an old client could misread a message.
export const wire_version = 1;
export const api_prefix = "/api/v1";
