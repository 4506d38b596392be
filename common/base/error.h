/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h - what went wrong, as a value: a code, an errno where there was one, a message.
 *
 * Functions return 0 or -ERR_*; their last argument is `struct error *err`, which may be
 * NULL. Success leaves *err alone; failure leaves out parameters alone.
 *
 * ERROR_MAP is the only place that knows AWS exception names, HTTP codes and retry advice.
 *
 * Owns:    nothing; a struct error is copied freely.
 * Threads: any.
 * Source:  Lambda API reference, "Common errors" and each operation's errors.
 */
#ifndef HEARTH_BASE_ERROR_H
#define HEARTH_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"

/*     code                      AWS exception                       HTTP  retriable  key of the text */
#define ERROR_MAP(X)                                                                               \
    X(OK, "", 200, 0, "message")                                                                   \
    X(BAD_REQUEST, "InvalidParameterValueException", 400, 0, "message")                            \
    X(IN_USE, "ResourceInUseException", 400, 0, "Message")                                         \
    /* a wrong parameter found behind Lambda's front: AWS sends it without a Type */               \
    X(CONCURRENCY_LIMIT, "InvalidParameterValueException", 400, 0, "message")                      \
    X(VALIDATION, "ValidationException", 400, 0, "message")                                        \
    X(BAD_CONTENT, "InvalidRequestContentException", 400, 0, "message")                            \
    X(SERIALIZATION, "SerializationException", 400, 0, "Message")                                  \
    X(CODE_STORAGE, "CodeStorageExceededException", 400, 0, "message")                             \
    X(CODE_UNVERIFIED, "CodeVerificationFailedException", 400, 0, "Message")                       \
    X(CODE_SIGNATURE, "InvalidCodeSignatureException", 400, 0, "Message")                          \
    X(POLICY_LENGTH, "PolicyLengthExceededException", 400, 0, "message")                           \
    X(ACCESS_DENIED, "AccessDeniedException", 403, 0, "Message")                                   \
    X(NO_TOKEN, "MissingAuthenticationTokenException", 403, 0, "message")                          \
    X(HALF_SIGNED, "IncompleteSignatureException", 400, 0, "message")                              \
    X(UNKNOWN_CLIENT, "UnrecognizedClientException", 403, 0, "message")                            \
    X(BAD_SIGNATURE, "InvalidSignatureException", 403, 0, "message")                               \
    X(EXPIRED_TOKEN, "ExpiredTokenException", 403, 0, "message")                                   \
    X(NOT_FOUND, "ResourceNotFoundException", 404, 0, "Message")                                   \
    X(NO_CODE_SIGNING, "CodeSigningConfigNotFoundException", 404, 0, "Message")                    \
    X(NOT_PROVISIONED, "ProvisionedConcurrencyConfigNotFoundException", 404, 0, "message")         \
    X(NO_OPERATION, "UnknownOperationException", 404, 0, "Message")                                \
    X(CONFLICT, "ResourceConflictException", 409, 0, "message")                                    \
    X(PRECONDITION, "PreconditionFailedException", 412, 0, "message")                              \
    X(TOO_LARGE, "RequestTooLargeException", 413, 0, "message")                                    \
    X(ENTITY_TOO_LARGE, "RequestEntityTooLargeException", 413, 0, "Message")                       \
    X(MEDIA_TYPE, "UnsupportedMediaTypeException", 415, 0, "message")                              \
    X(THROTTLED, "TooManyRequestsException", 429, 1, "message")                                    \
    X(INTERNAL, "ServiceException", 500, 1, "Message")                                             \
    X(UNSUPPORTED, "InvalidParameterValueException", 400, 0, "message")                            \
    X(INVALID_ZIP, "InvalidZipFileException", 502, 0, "Message")                                   \
    X(INVALID_RUNTIME, "InvalidRuntimeException", 502, 0, "Message")                               \
    X(NOT_READY, "ResourceNotReadyException", 502, 1, "message")                                   \
    X(UNAVAILABLE, "ServiceException", 503, 1, "Message")                                          \
    /* below: ours, never sent to a client as they are */                                          \
    X(TIMEOUT, "ServiceException", 500, 1, "Message")                                              \
    X(CLOSED, "ServiceException", 503, 1, "Message")                                               \
    X(PROTOCOL, "ServiceException", 500, 0, "Message")                                             \
    X(SYSTEM, "ServiceException", 500, 1, "Message")                                               \
    X(CONFIG, "ServiceException", 500, 0, "Message")                                               \
    X(STALE, "ServiceException", 500, 1, "Message")                                                \
    /* a dispatch of an epoch that is over */                                                      \
    X(FENCED, "ServiceException", 503, 1, "Message")

enum error_code {
#define ERROR_ENUM_(code, exception, http, retriable, key) ERR_##code,
    ERROR_MAP(ERROR_ENUM_)
#undef ERROR_ENUM_
        ERROR_CODE_MAX,
};

#define ERROR_MSG_MAX 1024

/** A value: no allocation, nothing to free. */
struct error {
    enum error_code code;
    int sys_errno; /* 0 when no system call failed */
    char msg[ERROR_MSG_MAX];
};

/** Fills @err (may be NULL) with @code and a message, of which its old one may be a part; returns -@code. */
int error_set(struct error *err, enum error_code code, const char *fmt, ...) PRINTF_FORMAT(3, 4);

/** As error_set() with the errno value @sys_errno, whose text is appended to the message. */
int error_set_errno(struct error *err, enum error_code code, int sys_errno, const char *fmt, ...)
    PRINTF_FORMAT(4, 5);

/** Puts "<context>: " in front of the message of @err (may be NULL); returns @r unchanged. */
int error_wrap(struct error *err, int r, const char *fmt, ...) PRINTF_FORMAT(3, 4);

/** The AWS exception name for @code, e.g. "ResourceNotFoundException"; static. */
const char *error_exception(enum error_code code);
/** The code whose AWS exception name is @exception and HTTP status @http_status (0: any), else ERR_INTERNAL. */
enum error_code error_code_from_exception(const char *exception, int http_status);
/** The HTTP status for @code. */
int error_http_status(enum error_code code);
/** The JSON member that carries the text: "message" or "Message", as AWS's shapes have it. */
const char *error_message_key(enum error_code code);
/** Whether the same request may succeed later. */
bool error_is_retriable(enum error_code code);
/** Our own short name, e.g. "NOT_FOUND"; static, for logs. */
const char *error_code_name(enum error_code code);
/** The code with that name, of @len bytes as a peer sent it; ERR_INTERNAL for one we do not know. */
enum error_code error_code_from_name(const char *name, size_t len);

#endif
