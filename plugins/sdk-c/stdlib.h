/* What the bindings need of a C library. A plugin's instance lives for one call, so memory is never given back. */
#ifndef ZHANGGUI_STDLIB_H
#define ZHANGGUI_STDLIB_H
#include <stddef.h>
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);
void free(void *old);
_Noreturn void abort(void);
#endif
