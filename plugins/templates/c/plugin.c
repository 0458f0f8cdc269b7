/* Says whether a basket is large. */
#include "zhanggui.h"
#include <string.h>

/* The contract's types have long names; these are the ones used here. */
typedef exports_zhanggui_plugin_facts_call_t call_t;
typedef exports_zhanggui_plugin_facts_value_t value_t;
typedef exports_zhanggui_plugin_facts_step_t step_t;
typedef exports_zhanggui_plugin_facts_plugin_error_t error_t;
typedef exports_zhanggui_plugin_facts_list_http_request_t requests_t;
typedef exports_zhanggui_plugin_facts_list_http_response_t responses_t;

static bool is(const zhanggui_string_t *text, const char *other) {
  return text->len == strlen(other) && memcmp(text->ptr, other, text->len) == 0;
}

static const value_t *argument(const call_t *call, const char *name) {
  for (size_t i = 0; i < call->arguments.len; i++)
    if (is(&call->arguments.ptr[i].path, name)) return &call->arguments.ptr[i].value;
  return NULL;
}

/* A setting of digits; `otherwise` if it is not given or something else. */
static int64_t whole_setting(const char *name, int64_t otherwise) {
  zhanggui_string_t key, text;
  zhanggui_string_set(&key, name);
  if (!zhanggui_plugin_config_get(&key, &text) || text.len == 0 || text.len > 18) return otherwise;
  int64_t number = 0;
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] < '0' || text.ptr[i] > '9') return otherwise;
    number = number * 10 + (text.ptr[i] - '0');
  }
  return number;
}

static void log_line(const char *text) {
  zhanggui_string_t line;
  zhanggui_string_set(&line, text);
  zhanggui_plugin_logging_log(ZHANGGUI_PLUGIN_LOGGING_LEVEL_INFO, &line);
}

/* The requests of the first round: none. True: `ret` holds the result; false: `err` does. */
bool exports_zhanggui_plugin_facts_plan(call_t *call, requests_t *ret, error_t *err) {
  (void)call, (void)err;
  ret->ptr = NULL;
  ret->len = 0;
  return true;
}

bool exports_zhanggui_plugin_facts_decide(call_t *call, responses_t *responses, step_t *ret, error_t *err) {
  (void)responses;
  if (!is(&call->function, "large")) {
    err->tag = ZHANGGUI_PLUGIN_TYPES_PLUGIN_ERROR_UNSUPPORTED;
    err->val.unsupported = call->function;
    return false;
  }
  const value_t *paid = argument(call, "paid");
  if (paid == NULL || paid->tag != ZHANGGUI_PLUGIN_TYPES_VALUE_MONEY) {
    err->tag = ZHANGGUI_PLUGIN_TYPES_PLUGIN_ERROR_INVALID_INPUT;
    zhanggui_string_set(&err->val.invalid_input, "paid: an amount of money is needed");
    return false;
  }
  bool large = paid->val.money.minor >= whole_setting("threshold", 100000);
  log_line(large ? "large" : "not large");
  ret->tag = EXPORTS_ZHANGGUI_PLUGIN_FACTS_STEP_ANSWER;
  ret->val.answer.tag = ZHANGGUI_PLUGIN_TYPES_VALUE_TRUTH;
  ret->val.answer.val.truth = large;
  return true;
}
