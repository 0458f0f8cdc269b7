/* Memory and bytes for a plugin without a C library. The host makes a fresh instance for every call and drops it after,
 * so allocation only ever moves forward; `realloc` of the newest block grows it in place. */
#include "stdlib.h"
#include "string.h"
#include <stdint.h>

#define PAGE 65536u
#define ROUND(size) (((size) + 15u) & ~(size_t)15u)

extern unsigned char __heap_base;

static uintptr_t next;
static void *newest;

void *malloc(size_t size) {
  if (next == 0) next = ROUND((uintptr_t)&__heap_base);
  if (size > SIZE_MAX - PAGE || next > SIZE_MAX - PAGE - size) abort();
  uintptr_t end = ROUND(next + size);
  uintptr_t have = (uintptr_t)__builtin_wasm_memory_size(0) * PAGE;
  if (end > have) {
    size_t pages = (end - have + PAGE - 1) / PAGE;
    /* The host's limit: a plugin has nothing better to do than to stop. */
    if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) abort();
  }
  newest = (void *)next;
  next = end;
  return newest;
}

void *calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) abort();
  return memset(malloc(bytes), 0, bytes);
}

void *realloc(void *old, size_t size) {
  if (old == NULL) return malloc(size);
  if (old == newest) {
    next = (uintptr_t)old;
    return malloc(size);
  }
  /* How long the old block is is not known, but it ends before the new one begins. */
  unsigned char *to = malloc(size);
  size_t most = (size_t)(to - (unsigned char *)old);
  return memcpy(to, old, size < most ? size : most);
}

void free(void *old) { (void)old; }

_Noreturn void abort(void) { __builtin_trap(); }

void *memcpy(void *to, const void *from, size_t size) {
  unsigned char *t = to;
  const unsigned char *f = from;
  while (size--) *t++ = *f++;
  return to;
}

void *memmove(void *to, const void *from, size_t size) {
  unsigned char *t = to;
  const unsigned char *f = from;
  if (t < f) return memcpy(to, from, size);
  while (size--) t[size] = f[size];
  return to;
}

void *memset(void *to, int byte, size_t size) {
  unsigned char *t = to;
  while (size--) *t++ = (unsigned char)byte;
  return to;
}

int memcmp(const void *a, const void *b, size_t size) {
  const unsigned char *x = a, *y = b;
  for (; size--; x++, y++)
    if (*x != *y) return *x - *y;
  return 0;
}

size_t strlen(const char *text) {
  size_t size = 0;
  while (text[size]) size++;
  return size;
}
