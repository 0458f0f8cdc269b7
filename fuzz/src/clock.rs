//! Time that this thread computed: a busy machine makes nothing slow.
use std::time::Duration;

/// Processor time of this thread.
pub fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live `timespec`.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(done, 0, "the thread's clock can be read");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Fails if `work` takes more processor time than `most`.
pub fn within<T>(most: Duration, what: &str, work: impl FnOnce() -> T) -> T {
    let start = thread_time();
    let done = work();
    let took = thread_time() - start;
    assert!(took <= most, "{what} took {took:?}");
    done
}
