//! Safe loops on the widest instructions that the machine has.

/// Runs `work`, and what is inlined into it, compiled for the machine's widest instructions (AVX-512, AVX2, NEON …).
///
/// Hand it a closure marked `#[inline(always)]`: another is inlined only where it is small, and otherwise runs on the
/// narrowest instructions unnoticed. The same goes for what it calls; so long loops in it are `for` loops.
#[inline(always)]
pub(crate) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    struct Work<F>(F);
    impl<R, F: FnOnce() -> R> pulp::NullaryFnOnce for Work<F> {
        type Output = R;

        #[inline(always)]
        fn call(self) -> R {
            (self.0)()
        }
    }
    pulp::Arch::new().dispatch(Work(work))
}
